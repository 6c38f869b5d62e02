import { addDays, midnight } from "../../format";
import { href } from "../../route";
import { preset, type Preset, type Range } from "../../ui/range";

type Named = Exclude<Preset, "custom">;
export const CHOICES: Named[] = ["today", "yesterday", "week", "month", "90d"];
const DATE = /^[12]\d{3}-\d{2}-\d{2}$/;
const real = (text: string): boolean => DATE.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00Z`));

/** The range that an address names: `energy/week`, `energy/2026-07-01/2026-07-07`; else today. */
export function rangeOf(rest: string[]): Range {
  const [first = "", last = first] = rest;
  const named = CHOICES.find((name) => name === first);
  if (named) return preset(named);
  if (!real(first) || !real(last) || first > last) return preset("today");
  return { preset: "custom", from: midnight(first), to: midnight(addDays(last, 1)) };
}

/** The address of a range: a name stays a name, so that "this week" is next week's when it is read then. */
export function addressOf(range: Range, first: string, last: string): string {
  if (range.preset === "today") return href("energy");
  return range.preset === "custom" ? href("energy", first, last) : href("energy", range.preset);
}
