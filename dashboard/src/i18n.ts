import { createStore, useStore } from "./store";
import { en } from "./texts/en";
import { formulasEn } from "./texts/formulas.en";
import { rulesEn } from "./texts/rules.en";
import { rulesZh, type RuleId } from "./texts/rules.zh-CN";
import { zh, type Key } from "./texts/zh-CN";

export type Lang = "zh" | "en";
export type Theme = "light" | "dark";
export type { Key };

const catalogues: Record<Lang, Record<Key, string>> = { zh, en };

function stored<T extends string>(key: string, allowed: readonly T[]): T | null {
  try {
    const value = localStorage.getItem(key);
    return allowed.find((a) => a === value) ?? null;
  } catch {
    return null; // storage may be forbidden; the choice then lasts as long as the page
  }
}

function keep(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // see `stored`
  }
}

const night = matchMedia("(prefers-color-scheme: dark)").matches;

export const lang = createStore<Lang>(stored<Lang>("hk.lang", ["zh", "en"]) ?? "zh");
export const theme = createStore<Theme>(stored<Theme>("hk.theme", ["light", "dark"]) ?? (night ? "dark" : "light"));

function show(): void {
  document.documentElement.lang = lang.get() === "zh" ? "zh-CN" : "en";
  document.documentElement.dataset.theme = theme.get();
}

lang.subscribe(() => (keep("hk.lang", lang.get()), show()));
theme.subscribe(() => (keep("hk.theme", theme.get()), show()));
show();

/** A sentence of the catalogue with its named values; what has no value stands empty. */
export function t(key: Key, values: Record<string, string | number> = {}): string {
  return catalogues[lang.get()][key].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
}

/** A word for a code of the gateway (`day.workday`); an unknown code stands for itself. */
export function word(group: string, code: string): string {
  const table: Record<string, string> = catalogues[lang.get()];
  return table[`${group}.${code}`] ?? code;
}

export function ruleTitle(id: string): string {
  const table: Record<string, string> = lang.get() === "zh" ? rulesZh : rulesEn;
  return table[id as RuleId] ?? id;
}

/** A rule's formula in the page's language. */
export function formulaOf(rule: { id: string; formula: string }): string {
  return lang.get() === "zh" ? rule.formula : (formulasEn[rule.id] ?? rule.formula);
}

/** Redraws the caller when the language changes. */
export function useLang(): Lang {
  return useStore(lang, (l) => l);
}

export function useTheme(): Theme {
  return useStore(theme, (l) => l);
}
