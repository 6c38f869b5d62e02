import { dateOf, ms, stamp, weekdayName } from "../../format";
import { t, word } from "../../i18n";
import type { Site } from "../../types";
import { USES, type Report } from "./data";
import { circuitName, useName } from "./words";

type Cell = string | number | null;

/** A cell as spreadsheets read it; a name that begins like a formula is kept from being one. */
function cell(value: Cell): string {
  if (value === null) return "";
  if (typeof value === "number") return String(Math.round(value * 1e4) / 1e4);
  const safe = /^[=+\-@\t]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

const percent = (share: number | null): Cell => (share === null ? null : share * 100);
const minute = (at: string): string => stamp(at).slice(0, 16);

/** Everything that the page shows, table after table, headed in the page's language; a BOM first. */
export function csv(site: Site, r: Report): string {
  const tables: Cell[][][] = [summary(site, r), curve(r), uses(r), ranking(site, r), days(r), gaps(site, r)];
  const text = tables.map((rows) => rows.map((row) => row.map(cell).join(",")).join("\r\n")).join("\r\n\r\n");
  return `\ufeff${text}\r\n`;
}

function summary(site: Site, r: Report): Cell[][] {
  const [unit, price] = [t("csv.kwh"), r.tariff];
  const yuan = (kwh: number | null): Cell => (kwh === null || price === null ? null : kwh * price);
  return [
    [t("csv.summary"), site.name],
    [t("csv.from"), r.from],
    [t("csv.to"), r.to],
    [t("csv.until"), minute(r.until)],
    [t("csv.item"), t("csv.value"), t("csv.unit")],
    [t("energy.total"), r.total.kwh, unit],
    [t("energy.total"), yuan(r.total.kwh), t("csv.yuan")],
    [t("csv.known"), percent(r.total.known), t("csv.percent")],
    [t("csv.usual"), r.usual?.kwh ?? null, unit],
    [t("csv.low"), r.usual?.low ?? null, unit],
    [t("csv.high"), r.usual?.high ?? null, unit],
    [t("csv.waste"), r.waste.kwh, unit],
    [t("csv.waste"), yuan(r.waste.kwh), t("csv.yuan")],
    [t("csv.permitted"), r.waste.permitted, unit],
    [t("csv.tariff"), price ?? t("csv.noTariff")],
  ];
}

function curve(r: Report): Cell[][] {
  const daily = r.curve.unit === "kWh";
  const value = daily ? [t("csv.energy"), t("csv.energyPart")] : [t("csv.power"), t("csv.powerPart")];
  const unit = daily ? t("csv.kwh") : t("csv.watt");
  const usual = (["csv.low", "csv.mid", "csv.high"] as const).map((key) => `${t(key)} (${unit})`);
  return [
    [t("csv.curve")],
    [t(daily ? "energy.day" : "energy.time"), ...value, ...usual, t("csv.n")],
    ...r.curve.items.map((p) => [daily ? dateOf(p.t) : minute(p.t), p.value, p.part, p.low, p.mid, p.high, p.n]),
  ];
}

function uses(r: Report): Cell[][] {
  const unit = t("csv.kwh");
  return [
    [t("csv.uses")],
    [t(r.uses.step === "1d" ? "energy.day" : "energy.time"), ...USES.map((use) => `${useName(use)} (${unit})`)],
    ...r.uses.items
      .filter((row) => ms(row.t) < ms(r.until))
      .map((row) => [r.uses.step === "1d" ? dateOf(row.t) : minute(row.t), ...USES.map((use) => row[use])]),
    [t("energy.sum"), ...USES.map((use) => r.uses.sums[use])],
  ];
}

function ranking(site: Site, r: Report): Cell[][] {
  const head = ["csv.rank", "csv.circuit", "csv.use", "csv.energy", "csv.wasteKwh", "csv.wasteYuan", "csv.known"] as const;
  return [
    [t("csv.ranking")],
    head.map((key) => t(key)),
    ...r.circuits.map((row, i) => [
      i + 1,
      circuitName(site, row.circuit),
      useName(row.use as "lighting" | "protected"),
      row.kwh,
      row.waste,
      row.waste === null || r.tariff === null ? null : row.waste * r.tariff,
      percent(row.known),
    ]),
  ];
}

function days(r: Report): Cell[][] {
  return [
    [t("csv.days")],
    [t("energy.day"), "", t("csv.kind"), t("csv.energy"), t("csv.wasteKwh"), t("csv.known")],
    ...r.days.map((d) => [d.day, weekdayName(d.day), word("day", d.kind), d.kwh, d.waste, percent(d.known)]),
  ];
}

function gaps(site: Site, r: Report): Cell[][] {
  const names = (ids: string[]) => ids.map((id) => circuitName(site, id)).join("; ");
  return [
    [t("csv.gaps")],
    [t("csv.from"), t("csv.to"), t("csv.circuit")],
    ...r.gaps.items.map((g) => [
      minute(g.from),
      minute(g.to),
      [g.main ? t("energy.gapMain") : "", names(g.circuits)].filter(Boolean).join("; "),
    ]),
  ];
}

export function save(name: string, text: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
