import { ApiError, list, query } from "../../api";
import { addDays, DAY, dateOf, iso } from "../../format";
import { series, sum } from "../../live/history";
import type { EnergyRow, Site } from "../../types";
import type { Range } from "../../ui/range";

/** What a grouping of /energy answers; null where the gateway does not offer that grouping. */
export async function energy(by: string, from: number, to: number): Promise<EnergyRow[] | null> {
  try {
    return await list<EnergyRow>(`/energy${query({ from: iso(from), to: iso(to), by })}`);
  } catch (fault) {
    if (fault instanceof ApiError && (fault.status === 404 || fault.status === 422)) return null;
    throw fault;
  }
}

export const total = (rows: EnergyRow[] | null): number | null => {
  const known = (rows ?? []).map((r) => r.kwh).filter((v) => v !== null);
  return known.length ? known.reduce((a, b) => a + b, 0) : null;
};

export interface Plot {
  step: number;
  times: number[];
  now: (number | null)[];
  before: (number | null)[];
}

/** Total power over the range, and a week before it. */
export async function plot(site: Site, range: Range): Promise<Plot> {
  const step = Math.max(600_000, Math.ceil((range.to - range.from) / 300 / 600_000) * 600_000);
  const meters = site.circuits.flatMap((c) => (c.meter ? [c.meter] : []));
  const read = (from: number, to: number) => Promise.all(meters.map((m) => series(m, "w", from, to, step)));
  const [now, before] = await Promise.all([
    read(range.from, range.to),
    read(range.from - 7 * DAY, range.to - 7 * DAY),
  ]);
  return { step, times: now[0]?.times ?? [], now: sum(now), before: sum(before) };
}

export interface Ranked {
  id: string;
  name: string;
  kwh: number;
}

/** Circuits by energy: as the gateway counts, else from their mean power. */
export async function ranking(site: Site, range: Range): Promise<Ranked[]> {
  const name = (id: string) => site.circuits.find((c) => c.id === id)?.name ?? id;
  const rows = await energy("circuit", range.from, range.to);
  if (rows) {
    return rows
      .flatMap((r) => (r.circuit && r.kwh !== null ? [{ id: r.circuit, name: name(r.circuit), kwh: r.kwh }] : []))
      .sort((a, b) => b.kwh - a.kwh);
  }
  const step = 3_600_000;
  const counted = await Promise.all(
    site.circuits.map(async (c) => {
      if (!c.meter) return null;
      const { mean } = await series(c.meter, "w", range.from, range.to, step);
      const known = mean.filter((v) => v !== null);
      return known.length ? { id: c.id, name: c.name, kwh: known.reduce((a, b) => a + b, 0) / 1000 } : null;
    }),
  );
  return counted.filter((r) => r !== null).sort((a, b) => b.kwh - a.kwh);
}

/** The calendar days of the range's last month, Monday first, each with its energy or null. */
export function month(rows: EnergyRow[], last: string): { day: string; kwh: number | null }[] {
  const known = new Map(rows.map((r) => [r.day, r.kwh]));
  const first = `${last.slice(0, 7)}-01`;
  const out = [];
  for (let day = first; day.slice(0, 7) === first.slice(0, 7); day = addDays(day, 1)) {
    out.push({ day, kwh: known.get(day) ?? null });
  }
  return out;
}

/** The shown figures as CSV, with a BOM so that a spreadsheet reads its Chinese. */
export function csv(p: Plot): string {
  const cell = (v: number | null | undefined) => (v === null || v === undefined ? "" : v.toFixed(1));
  const lines = p.times.map((at, i) => `${iso(at)},${cell(p.now[i])},${cell(p.before[i])}`);
  return `\ufeff${["time,watts,watts_week_before", ...lines].join("\r\n")}\r\n`;
}

export function save(name: string, text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

export const monthEnd = (range: Range): string => dateOf(range.to - 1);
