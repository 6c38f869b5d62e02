import { dateOf, kwh, stamp, weekdayName } from "../../format";
import { t, type Lang } from "../../i18n";
import type { Site } from "../../types";
import type { Report, UseKey } from "./data";

export const oneDay = (r: Report): boolean => r.from === r.to;
export const running = (r: Report): boolean => dateOf(r.until) <= r.to && stamp(r.until).slice(11, 16) !== "00:00";

/** "12.3 kWh", "—" where not known. */
export const energy = (v: number | null): string => (v === null ? "—" : `${kwh(v)} kWh`);

/** A whole percent that never rounds to 100 while something is missing. */
export const percent = (share: number): number => (share >= 1 ? 100 : Math.min(99, Math.round(share * 100)));

/** "+7%", "−7%", "±0%". */
export function change(now: number, before: number): string | null {
  if (before <= 0) return null;
  const share = Math.round((100 * (now - before)) / before);
  return `${share > 0 ? "+" : share < 0 ? "−" : "±"}${Math.abs(share)}%`;
}

/** "Wednesday", and "Wednesdays" where a language has it, comes with the sentence. */
export const dayName = (r: Report): string => weekdayName(r.from);

export const dayKind = (r: Report): string =>
  t(r.days.find((d) => d.day === r.from)?.works ? "day.workday" : "day.off");

export const circuitName = (site: Site, id: string): string => site.circuits.find((c) => c.id === id)?.name ?? id;

export const useName = (use: UseKey | "protected"): string =>
  use === "rest" ? t("energy.rest") : t(`use.${use}`);

export function monthTitle(month: string): string {
  const [year = "", m = ""] = month.split("-");
  return t("energy.monthName", { year, month: m });
}

/** Marks a name as data of the site, for texts that are put together. */
export const listed = (names: string[], lang: Lang): string => names.join(lang === "zh" ? "、" : ", ");
