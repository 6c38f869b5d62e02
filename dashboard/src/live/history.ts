import { get, query } from "../api";
import { iso, ms } from "../format";
import type { SeriesPoint } from "../types";

export interface Samples {
  times: number[];
  mean: (number | null)[];
  min: (number | null)[];
  max: (number | null)[];
}

/** One field of a channel over [from, to), a value per `step` ms, null where nothing was known. */
export async function series(channel: string, field: string, from: number, to: number, step: number): Promise<Samples> {
  const asked = { channel, field, from: iso(from), to: iso(to), step: `${Math.round(step / 1000)}s` };
  const { items } = await get<{ items: SeriesPoint[] }>(`/series${query(asked)}`);
  const at = new Map(items.map((p) => [Math.floor((ms(p.t) - from) / step), p]));
  const times = Array.from({ length: Math.ceil((to - from) / step) }, (_, i) => from + i * step);
  const pick = (key: "mean" | "min" | "max") => times.map((_, i) => at.get(i)?.[key] ?? null);
  return { times, mean: pick("mean"), min: pick("min"), max: pick("max") };
}
