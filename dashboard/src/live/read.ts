import type { Channel, Circuit, Finding, Sensor, Site } from "../types";
import { rank } from "./state";

/** true, false, or null for what is not known. */
export type Tri = boolean | null;
export type Channels = Record<string, Channel>;

export function flag(channels: Channels, source: string | null | undefined, field: string): Tri {
  const channel = source ? channels[source] : undefined;
  const value = channel?.known ? channel.values[field] : null;
  return typeof value === "boolean" ? value : null;
}

export function number(channels: Channels, source: string | null | undefined, field: string): number | null {
  const channel = source ? channels[source] : undefined;
  const value = channel?.known ? channel.values[field] : null;
  return typeof value === "number" ? value : null;
}

/** Kleene's "or": true wins over unknown, unknown over false; unknown of nothing. */
export function any(values: Tri[]): Tri {
  if (values.includes(true)) return true;
  return values.length === 0 || values.includes(null) ? null : false;
}

/** On, as the rules see it: by its meter, without one by its relay. */
export function lit(channels: Channels, circuit: Circuit): Tri {
  if (!circuit.meter) return flag(channels, circuit.relay, "on");
  const w = number(channels, circuit.meter, "w");
  return w === null ? null : w > circuit.on_above_w;
}

const of = (site: Site, zone: string, kind: Sensor["kind"]) =>
  site.sensors.filter((s) => s.zone === zone && s.kind === kind);

export const present = (site: Site, channels: Channels, zone: string): Tri =>
  any(of(site, zone, "presence").map((s) => flag(channels, s.source, "present")));

export function brightest(site: Site, channels: Channels, zone: string): number | null {
  const known = of(site, zone, "lux").map((s) => number(channels, s.source, "lx")).filter((v) => v !== null);
  return known.length ? Math.max(...known) : null;
}

export function climate(site: Site, channels: Channels, zone: string): { c: number | null; rh: number | null } {
  const first = of(site, zone, "climate").filter((s) => !s.circuit)[0]?.source;
  return { c: number(channels, first, "c"), rh: number(channels, first, "rh") };
}

/** What detectors of the zone say now: `pm-01/d1:smoke` is one value of its own. */
export function detected(site: Site, channels: Channels, zone: string): string[] {
  return of(site, zone, "detector").flatMap((s) =>
    Object.entries(channels)
      .filter(([id, c]) => id.startsWith(`${s.source}:`) && c.values.active === true)
      .map(([id]) => id.slice(s.source.length + 1)),
  );
}

export interface Total {
  w: number | null;
  known: number;
  all: number;
}

/** The sum of what the meters say; null where none answers. */
export function totalPower(site: Site, channels: Channels): Total {
  const meters = site.circuits.filter((c) => c.meter);
  const known = meters.map((c) => number(channels, c.meter, "w")).filter((w) => w !== null);
  return { w: known.length ? known.reduce((a, b) => a + b, 0) : null, known: known.length, all: meters.length };
}

/** The worst active finding of each subject. */
export function worstBySubject(findings: Finding[]): Map<string, Finding> {
  const worst = new Map<string, Finding>();
  for (const f of findings) {
    const held = worst.get(f.subject);
    if (!held || rank(f.severity) < rank(held.severity)) worst.set(f.subject, f);
  }
  return worst;
}
