import { useMemo } from "preact/hooks";
import { dateOf, kwh, ms, power, stamp } from "../../format";
import { t, useLang } from "../../i18n";
import { Empty } from "../../ui/card";
import { STEP, type Report } from "./data";
import { Legend, Plot, type Ink, type KeyEntry, type Layer } from "./plot";
import { dayKind, dayName, energy, oneDay } from "./words";

const BAND: Ink = { color: "--faint", share: 22 };
const MID: Ink = { color: "--faint" };
const LINE: Ink = { color: "--accent" };
const HATCH: Ink = { color: "--hatch" };

interface Drawn {
  times: number[];
  layers: Layer[];
  band?: { high: number; low: number; ink: Ink };
  gaps: [number, number][];
  key: KeyEntry[];
}

/** Steps that are over and in which not every meter was heard, joined. */
export function holes({ curve, until, since }: Report): [number, number][] {
  const step = STEP[curve.step];
  const end = ms(until);
  const begin = since === null ? end : ms(since);
  const found: [number, number][] = [];
  for (const p of curve.items) {
    const at = ms(p.t);
    if (p.value !== null || at + step > end || at + step <= begin) continue;
    const last = found.at(-1);
    if (last?.[1] === at) last[1] = at + step;
    else found.push([at, at + step]);
  }
  return found;
}

function drawn(r: Report): Drawn {
  const { items, unit, most } = r.curve;
  const daily = unit === "kWh";
  const one = oneDay(r);
  const day = dayName(r);
  const layers: Layer[] = [];
  const key: KeyEntry[] = [];
  const add = (layer: Layer, legend = true) => {
    layers.push(layer);
    if (legend && layer.kind !== "edge") key.push({ kind: layer.kind, label: layer.label, ink: layer.ink });
  };
  const main = daily ? "column" : "line";
  const name = t(daily ? "energy.bars" : "energy.line");
  const solid: Layer = { label: name, values: items.map((p) => p.value), ink: daily ? { color: "--accent", share: 70 } : LINE, kind: main };
  const part: Layer = { label: t(daily ? "energy.partDay" : "energy.part"), values: items.map((p) => p.part), ink: LINE, kind: daily ? "hollow" : "dotted" };
  const partly = part.values.some((v) => v !== null);
  let band: Drawn["band"];
  if (most > 1) {
    const label = one ? t("energy.bandDay", { n: most, day, kind: dayKind(r) }) : t("energy.bandMany", { n: most });
    add({ label, values: items.map((p) => p.high), ink: BAND, kind: "edge" });
    add({ label, values: items.map((p) => p.low), ink: BAND, kind: "edge" });
    band = { high: layers.length - 2, low: layers.length - 1, ink: daily ? { color: "--faint", share: 34 } : BAND };
    key.push({ kind: "band", label, ink: band.ink });
    if (!daily) add({ label: t("energy.mid"), values: items.map((p) => p.mid), ink: MID, kind: "dashed" });
  } else if (most === 1) {
    const label = one ? t("energy.before", { day }) : t("energy.beforeMany");
    add({ label, values: items.map((p) => p.mid), ink: MID, kind: "dashed" });
  }
  add(solid);
  if (partly) add(part);
  if (daily && most > 1) add({ label: t("energy.mid"), values: items.map((p) => p.mid), ink: { color: "--text" }, kind: "dashed" });
  const gaps = daily ? [] : holes(r);
  if (gaps.length) key.push({ kind: "gap", label: t("energy.gap"), ink: HATCH });
  return { times: items.map((p) => ms(p.t)), layers, band, gaps, key };
}

/** Power over the range (energy of each day over longer ones), against earlier days like these. */
export function Curve({ data }: { data: Report }) {
  const language = useLang();
  const plot = useMemo(() => drawn(data), [data, language]);
  const { curve, gaps } = data;
  const known = curve.items.flatMap((p) => (p.value ?? p.part) === null ? [] : [(p.value ?? p.part) as number]);
  if (!known.length && curve.most === 0) return null;
  const daily = curve.unit === "kWh";
  const show = daily ? energy : power;
  const alt = t(daily ? "energy.altDaily" : "energy.altPower", { max: known.length ? show(Math.max(...known)) : "—", gaps: gaps.count });
  const tell = (i: number): string => {
    const p = curve.items[i];
    if (!p) return "";
    const at = daily ? dateOf(p.t).slice(5) : stamp(p.t).slice(5, 16);
    const value = p.value !== null ? `${t(daily ? "energy.bars" : "energy.line")} ${show(p.value)}` : p.part !== null ? `${t(daily ? "energy.partDay" : "energy.part")} ${show(p.part)}` : ms(p.t) < ms(data.until) ? t("energy.gap") : "";
    const before = p.mid === null ? "" : p.n > 1 ? `${t("energy.mid")} ${show(p.mid)} (${show(p.low as number)}–${show(p.high as number)})` : `${plot.key.find((k) => k.kind === "dashed")?.label ?? ""} ${show(p.mid)}`;
    return [at, value, before].filter(Boolean).join("  ·  ");
  };
  const peak = curve.items.reduce((best, p, i) => ((p.value ?? 0) > (curve.items[best]?.value ?? 0) ? i : best), 0);
  return (
    <figure class="energy-curve">
      <figcaption>
        <h3>{t(daily ? "energy.daily" : "energy.curve")}</h3>
        <Legend entries={plot.key} />
      </figcaption>
      <Plot
        times={plot.times}
        step={STEP[curve.step]}
        layers={plot.layers}
        band={plot.band}
        gaps={plot.gaps}
        height={240}
        alt={alt}
        format={daily ? kwh : power}
        tell={tell}
        quiet={known.length ? t("energy.peak", { what: tell(peak) }) : ""}
      />
      {curve.most === 0 && <Empty>{t("energy.noBand")}</Empty>}
    </figure>
  );
}
