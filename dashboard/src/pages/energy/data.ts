import { get } from "../../api";
import { addDays, dateOf, DAY } from "../../format";
import type { Range } from "../../ui/range";

type Known = number | null;
export type UseKey = "lighting" | "ac" | "counter" | "rest";
export const USES: readonly UseKey[] = ["lighting", "ac", "counter", "rest"];

/** One step of the curve: W, or kWh of a day. `part`: what is known where not everything is. */
export interface Point {
  t: string;
  value: Known;
  part: Known;
  low: Known;
  mid: Known;
  high: Known;
  /** How many earlier days the three are of. */
  n: number;
}

export type UseRow = { t: string } & Record<UseKey, Known>;

export interface CircuitRow {
  circuit: string;
  use: string;
  zone: string;
  kwh: Known;
  /** Null where its meter was not heard, and of a protected circuit. */
  waste: Known;
  /** Share of the readings that are there. */
  known: Known;
}

export interface DayRow {
  day: string;
  kind: "workday" | "off" | "makeup" | "provisional";
  works: boolean;
  kwh: Known;
  waste: Known;
  known: Known;
  over: boolean;
}

export interface GapRow {
  from: string;
  to: string;
  circuits: string[];
  main: boolean;
}

/** What `/energy/report` answers: everything the page shows of whole days, both ends included. */
export interface Report {
  from: string;
  to: string;
  until: string;
  /** Null before the first meter was heard. */
  basis: "main" | "circuits" | null;
  /** The first word ever of a counted meter. */
  since: string | null;
  tariff: Known;
  total: { kwh: Known; known: Known };
  usual: {
    kwh: number;
    low: number;
    high: number;
    against: number;
    days: number;
    of: number;
    dates: string[];
  } | null;
  curve: { unit: "W" | "kWh"; step: "10min" | "1h" | "1d"; most: number; items: Point[] };
  uses: {
    step: "1h" | "1d";
    items: UseRow[];
    sums: Record<UseKey, Known>;
    rest: "main" | "circuits" | "unknown";
    excess: number;
  };
  waste: { kwh: Known; permitted: Known };
  circuits: CircuitRow[];
  days: DayRow[];
  gaps: { count: number; step: "10min" | "1h"; items: GapRow[] };
  unheard: string[];
  unmetered: string[];
}

export const MOST_DAYS = 400;
export const STEP = { "10min": 600_000, "1h": 3_600_000, "1d": DAY } as const;

/** The first and last day of a range. */
export const daysOf = (range: Range): [string, string] => [dateOf(range.from), dateOf(range.to - 1)];

export const howMany = (first: string, last: string): number =>
  Math.round((Date.parse(last) - Date.parse(first)) / DAY) + 1;

export const report = (first: string, last: string): Promise<Report> =>
  get<Report>(`/energy/report?from=${first}&to=${last}`);

/** "07-01 09:00–10:00", the day left out where only one is shown; a range of days where it ends on another. */
export function spanText(from: string, to: string, stamp: (at: string) => string, one: boolean): string {
  const [a, b] = [stamp(from), stamp(to)];
  const midnight = b.slice(11, 16) === "00:00";
  const last = midnight ? addDays(b.slice(0, 10), -1) : b.slice(0, 10);
  const end = midnight ? "24:00" : b.slice(11, 16);
  if (a.slice(0, 10) === last) return `${one ? "" : `${a.slice(5, 10)} `}${a.slice(11, 16)}–${end}`;
  return `${a.slice(5, 16)} – ${last.slice(5)} ${end}`;
}
