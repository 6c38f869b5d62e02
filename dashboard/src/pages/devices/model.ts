import { anchor, hallNow } from "../../clock";
import { dateOf, duration, MINUTE, ms } from "../../format";
import { t } from "../../i18n";
import { live } from "../../live/stream";
import type { DeviceRow, DeviceState, Site } from "../../types";

/** A fact of a device in words, and whether it is as it should be. */
export interface Fact {
  text: string;
  bad: boolean;
}

const fine = (text: string): Fact => ({ text, bad: false });
const SOON_DAYS = 30;
const LOW_PERCENT = 20;

/** What a device is the source of, by its channels; a pad is the source of its counter. */
function things(site: Site): { name: string; zone: string; at: (string | null)[] }[] {
  return [
    ...site.counters.map((c) => ({ name: c.name, zone: c.zone, at: [c.pad ? `${c.pad}/` : null, c.presence] })),
    ...site.openings.map((o) => ({ name: o.name, zone: o.zone, at: [o.contact, o.lock] })),
    ...site.circuits.map((c) => ({ name: c.name, zone: c.zone, at: [c.meter, c.relay] })),
    ...site.acs.map((a) => ({ name: a.name, zone: a.zone, at: [a.source, a.control] })),
    ...site.sensors.map((s) => ({
      name: site.zones.find((z) => z.id === s.zone)?.name ?? s.zone,
      zone: s.zone,
      at: [s.source],
    })),
  ];
}

/** Which zone a device stands in: that of the first thing that names one of its channels. */
export const placeOf = (site: Site, id: string): string =>
  things(site).find((thing) => thing.at.some((source) => source?.startsWith(`${id}/`)))?.zone ?? "";

/** What hangs on a channel ("pm-01/c1"), "" where the site names nothing. */
export const thingAt = (site: Site, source: string): string =>
  things(site).find((thing) => thing.at.includes(source))?.name ?? "";

export const hasRelays = (site: Site, id: string): boolean =>
  [...site.circuits.map((c) => c.relay), ...site.acs.map((a) => a.control)].some((s) => s?.startsWith(`${id}/`));

/** How a device stands: what it said last, unless it is silent or was never heard. */
export function stateOf(row: DeviceRow, told?: DeviceState): { state: string; silent: boolean; last: string | null } {
  const heard = [row.last_seen, told?.last].filter((at): at is string => typeof at === "string");
  const last = heard.sort((a, b) => ms(b) - ms(a))[0] ?? null;
  const silent = last === null || hallNow() - ms(last) >= row.silent_after_s * 1000;
  return { state: !last ? "never" : silent ? "silent" : (told?.state ?? row.state ?? "ready"), silent, last };
}

export function clockOf(row: DeviceRow): Fact | null {
  if (!row.clock) return null;
  const ahead = row.clock.ms;
  if (ahead === null) return { text: t("dev.clock.unset"), bad: true };
  const near = 5000 * anchor.get().rate; // what is under way grows with a demonstration's speed
  if (Math.abs(ahead) <= near) return fine(t("dev.clock.good"));
  const d = duration(Math.abs(ahead));
  return { text: t(ahead > 0 ? "dev.clock.ahead" : "dev.clock.behind", { d }), bad: Math.abs(ahead) > MINUTE };
}

export function batteryOf(row: DeviceRow): Fact | null {
  const left = row.health?.battery;
  return left === undefined || left === null ? null : { text: `${Math.round(left)}%`, bad: left <= LOW_PERCENT };
}

/** The sample that was oldest when the device told of its health. */
export function samplesOf(row: DeviceRow): Fact | null {
  const ages = Object.values(row.health?.ages ?? {});
  if (!ages.length) return null;
  if (ages.includes(null)) return { text: t("dev.neverRead"), bad: ages.some((age) => isStale(row, age)) };
  const oldest = Math.max(...ages.map(Number));
  return { text: t("dev.samplesOld", { age: duration(oldest * 1000) }), bad: isStale(row, oldest) };
}

/** Older than the device may leave it, by its last report; null: not read since the device started.
 * One on battery starts for each report; of another only the gateway knows since when it runs. */
export function isStale(row: DeviceRow, age: number | null): boolean {
  if (age !== null) return age >= row.stale_after_s;
  const found = Object.values(live.get().findings);
  return row.power === "battery" || found.some((f) => f.rule === "device.stale" && f.subject === row.id && !f.end);
}

export function certificateOf(row: DeviceRow): Fact | null {
  const held = row.certificate;
  if (!held) return null;
  if (held.days < 0) return { text: t("dev.cert.over"), bad: true };
  const soon = held.days <= SOON_DAYS;
  return { text: soon ? t("dev.cert.days", { n: held.days }) : t("dev.cert.until", { day: dateOf(held.expires) }), bad: soon };
}

/** "88–92、101", and of how many ranges. */
export function rangesOf(missing: [number, number][], most: number): string {
  const shown = missing.slice(0, most).map(([a, b]) => (a === b ? `${a}` : `${a}–${b}`));
  const more = missing.length > most ? ` ${t("dev.more", { n: missing.length })}` : "";
  return shown.join(t("common.list")) + more;
}

/** Whether somebody should look at it: silent, a wrong clock, a flat battery, a certificate that ends … */
export function attention(row: DeviceRow, told?: DeviceState): boolean {
  const { state } = stateOf(row, told);
  const facts = [clockOf(row), batteryOf(row), samplesOf(row), certificateOf(row)];
  return state === "silent" || state === "never" || state === "lost" || row.missing.length > 0 || facts.some((f) => f?.bad);
}
