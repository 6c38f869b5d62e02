import { lang, t } from "./i18n";

let zone = "Asia/Shanghai";
let clock = formatter();

function formatter(): Intl.DateTimeFormat {
  // Swedish writes "2026-07-01 18:00:03", which can be cut anywhere.
  return new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short", timeStyle: "medium" });
}

export function useZone(name: string): void {
  if (name === zone) return;
  zone = name;
  clock = formatter();
}

export const ms = (at: string | number): number => (typeof at === "number" ? at : Date.parse(at));

/** "2026-07-01 18:00:03" in the hall's time. */
export const stamp = (at: string | number): string => clock.format(ms(at));
export const dateOf = (at: string | number): string => stamp(at).slice(0, 10);
export const hm = (at: string | number): string => stamp(at).slice(11, 16);
export const hms = (at: string | number): string => stamp(at).slice(11, 19);

/** Today HH:MM, else MM-DD HH:MM. */
export function when(at: string | number, now: number): string {
  const text = stamp(at);
  return text.slice(0, 10) === dateOf(now) ? text.slice(11, 16) : text.slice(5, 16);
}

export const DAY = 86_400_000;
export const MINUTE = 60_000;

/** How far the hall's clock is ahead of UTC at a whole second, ms. */
const ahead = (at: number): number => Date.parse(`${stamp(at).replace(" ", "T")}Z`) - at;

/**
 * When the hall's clock shows that day and that many minutes after midnight, Unix ms: the first time
 * where it shows them twice; as long after where it leaps over them.
 */
export function instant(date: string, minutes = 0): number {
  const shown = Date.parse(`${date}T00:00:00Z`) + minutes * MINUTE;
  const [before, after] = [shown - ahead(shown - DAY), shown - ahead(shown + DAY)];
  const right = (at: number) => at + ahead(at) === shown;
  return !right(before) && right(after) ? after : before;
}

/** The first instant of that day in the hall's time, Unix ms. */
export const midnight = (date: string): number => instant(date);

export const addDays = (date: string, days: number): string =>
  new Date(Date.parse(`${date}T00:00:00Z`) + days * DAY).toISOString().slice(0, 10);

/** 0 (Sunday) to 6 of a calendar date. */
export const weekday = (date: string): number => new Date(`${date}T00:00:00Z`).getUTCDay();

export function weekdayName(date: string): string {
  return t(`weekday.${weekday(date) as 0 | 1 | 2 | 3 | 4 | 5 | 6}`);
}

/** 3 分 12 秒 · 1 小时 5 分 · 2 天 3 小时. */
export function duration(length: number): string {
  const s = Math.max(0, Math.floor(length / 1000));
  const [d, h, m] = [Math.floor(s / 86400), Math.floor(s / 3600) % 24, Math.floor(s / 60) % 60];
  if (d) return h ? t("dur.dh", { d, h }) : t("dur.d", { d });
  if (h) return m ? t("dur.hm", { h, m }) : t("dur.h", { h });
  if (m) return t("dur.ms", { m, s: s % 60 });
  return t("dur.s", { s });
}

/** Up to minutes: "42 分". */
export function minutes(length: number): string {
  const m = Math.max(0, Math.ceil(length / MINUTE));
  return m < 60 ? t("dur.m", { m }) : duration(m * MINUTE);
}

/** How many decimals tell the multiples of `step` apart. */
function decimals(step: number): number {
  for (let n = 0; n < 6; n++) if (Math.abs(step * 10 ** n - Math.round(step * 10 ** n)) < 1e-6) return n;
  return 6;
}

/** One decimal in kW from 1 kW, else whole W; as many as the `step` of an axis needs; "—" where nothing is known. */
export function power(w: number | null | undefined, step?: number): string {
  if (w === null || w === undefined || !Number.isFinite(w)) return "—";
  if (Math.abs(w) < 1000) return `${step ? w.toFixed(decimals(step)) : Math.round(w)} W`;
  return `${(w / 1000).toFixed(Math.max(1, step ? decimals(step / 1000) : 1))} kW`;
}

/** One decimal; two where one would make nothing of a little; as many as the `step` of an axis needs. */
export function kwh(v: number | null | undefined, step?: number): string {
  if (v === null || v === undefined || !Number.isFinite(v)) return "—";
  const little = Math.abs(v) < 0.095 && Math.abs(v) >= LEAST_KWH;
  return v.toFixed(step ? decimals(step) : little ? 2 : 1);
}

/** Less than this is shown as nothing. */
export const LEAST_KWH = 0.005;

export const score = (v: number | null | undefined): string =>
  v === null || v === undefined || !Number.isFinite(v) ? "—" : v.toFixed(2);

export const yuan = (v: number): string => (lang.get() === "zh" ? `${v.toFixed(2)} 元` : `¥${v.toFixed(2)}`);

/** ISO with the offset left to UTC, as the API reads it. */
export const iso = (at: number): string => new Date(Math.round(at)).toISOString();

/** A hold of the site file ("15min", "1h30min") in words. */
export function hold(text: string): string {
  let total = 0;
  for (const [, n, unit] of text.matchAll(/(\d+)\s*(ms|h|min|s|d)/g)) {
    const size = { ms: 1, s: 1000, min: MINUTE, h: 60 * MINUTE, d: DAY }[unit as "s"];
    total += Number(n) * size;
  }
  return total ? duration(total).replace(/ 0 (秒|s)$/, "") : text === "0" || /^0/.test(text) ? t("dur.none") : text;
}
