import { addDays, DAY, dateOf, instant } from "../format";
import type { Samples } from "./history";

/** A stretch of a two-valued channel: true, false, or null for not known. [begin, end), Unix ms. */
export interface Stretch {
  begin: number;
  end: number;
  state: boolean | null;
}

/** Neighbouring steps of one state joined. A step in which it was true at any time counts as true. */
export function stretches(samples: Samples, step: number, until: number): Stretch[] {
  const out: Stretch[] = [];
  samples.times.forEach((begin, i) => {
    if (begin >= until) return;
    const max = samples.max[i];
    const state = max === null || max === undefined ? null : max >= 0.5;
    const end = Math.min(begin + step, until);
    const last = out.at(-1);
    if (last && last.state === state && last.end === begin) last.end = end;
    else out.push({ begin, end, state });
  });
  return out;
}

/** Where on an axis from `from` to `to` a stretch lies, in percent. */
export function place(begin: number, end: number, from: number, to: number): { left: string; width: string } | null {
  const a = Math.max(begin, from);
  const b = Math.min(end, to);
  if (b <= a) return null;
  const share = (x: number) => (100 * x) / (to - from);
  return { left: `${share(a - from)}%`, width: `${share(b - a)}%` };
}

/** Instants at which the hall's clock is round, to label an axis with, about `most` of them. */
export function ticks(from: number, to: number, most: number): number[] {
  const sizes = [5, 10, 15, 30, 60, 120, 180, 240, 360, 720, 1440, 2880, 10080];
  const size = sizes.find((minutes) => (to - from) / (minutes * 60_000) <= most) ?? 10080;
  const days = Math.max(1, size / 1440);
  const end = to - (to - from) * 0.04;
  const out: number[] = [];
  for (let date = dateOf(from); instant(date) < end; date = addDays(date, 1)) {
    if ((Date.parse(date) / DAY) % days) continue;
    for (let minute = 0; minute < 1440; minute += size) {
      const at = instant(date, minute);
      if (at >= from && at < end && at !== out.at(-1)) out.push(at);
    }
  }
  return out;
}
