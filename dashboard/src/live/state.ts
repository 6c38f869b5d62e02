import type { Alert, Channel, Day, DeviceState, Finding, Now, Site } from "../types";

/** Everything the pages show live. Values are replaced, never changed in place. */
export interface Live {
  status: "connecting" | "live" | "lost";
  /** The hall's time of the last word before the connection was lost, Unix ms. */
  heard: number | null;
  site: Site | null;
  day: Day | null;
  channels: Record<string, Channel>;
  devices: Record<string, DeviceState>;
  findings: Record<string, Finding>;
  alerts: Record<string, Alert>;
  /** Ratings counted today per counter, as far as told. */
  counts: Record<string, number>;
  /** Grows with each rating, so that summaries know when to ask again. */
  pressed: number;
  /** Grows when a shift, a closing check or a circuit's standing changes. */
  turned: number;
  /** Grows when a command is sent, answered or given up. */
  ordered: number;
  /** Grows when a case, a register, a duty or an appointment changes. */
  kept: number;
  /** Active alerts that the gateway has beyond those in `alerts`; the worst are read first. */
  unread: number;
  /** Of these, how many nobody has acknowledged. */
  unheeded: number;
  /** Whether the gateway answers /alerts at all. */
  hasAlerts: boolean;
}

export const EMPTY: Live = {
  status: "connecting",
  heard: null,
  site: null,
  day: null,
  channels: {},
  devices: {},
  findings: {},
  alerts: {},
  counts: {},
  pressed: 0,
  turned: 0,
  ordered: 0,
  kept: 0,
  unread: 0,
  unheeded: 0,
  hasAlerts: true,
};

/** Messages of the event stream, by their name. Those of an unknown name change nothing. */
export function reduce(live: Live, name: string, data: unknown): Live {
  switch (name) {
    case "channel": {
      const { channel, ...value } = data as Channel & { channel: string };
      return { ...live, channels: { ...live.channels, [channel]: value } };
    }
    case "device": {
      const { id, ...state } = data as DeviceState & { id: string };
      return { ...live, devices: { ...live.devices, [id]: { ...live.devices[id], ...state } } };
    }
    case "finding": {
      const finding = data as Finding;
      return { ...live, findings: { ...live.findings, [finding.id]: finding } };
    }
    case "alert": {
      const alert = data as Alert;
      return { ...live, alerts: { ...live.alerts, [alert.id]: { ...live.alerts[alert.id], ...alert } } };
    }
    case "rating": {
      const { counter, n } = data as { counter: string; n: number };
      return { ...live, counts: { ...live.counts, [counter]: n }, pressed: live.pressed + 1 };
    }
    case "shift":
    case "circuit":
      return { ...live, turned: live.turned + 1 };
    case "command":
      return { ...live, ordered: live.ordered + 1 };
    case "case":
    case "register":
      return { ...live, kept: live.kept + 1 };
    case "now":
      return { ...live, day: (data as Now).day };
    default:
      return live;
  }
}

const isOpen = (a: Alert): boolean => a.state !== "normal";
export const isUnheeded = (a: Alert): boolean => a.state === "unacknowledged" || a.state === "returned";

/** What the gateway has beyond the alerts that are read, by its own count of all. */
export function beyond(
  alerts: Record<string, Alert>,
  counted: { total?: number; unacknowledged?: number },
): { unread: number; unheeded: number } {
  const read = Object.values(alerts);
  const left = (all: number | undefined, of: (a: Alert) => boolean) => Math.max(0, (all ?? 0) - read.filter(of).length);
  return { unread: left(counted.total, isOpen), unheeded: left(counted.unacknowledged, isUnheeded) };
}

const RANK: Record<string, number> = { critical: 0, warning: 1, notice: 2, info: 3 };
export const rank = (severity: string): number => RANK[severity] ?? 4;

/** Worst first, then the oldest. */
export const byGravity = (a: { severity: string; since: string }, b: { severity: string; since: string }): number =>
  rank(a.severity) - rank(b.severity) || Date.parse(a.since) - Date.parse(b.since);

export function activeFindings(findings: Record<string, Finding>): Finding[] {
  return Object.values(findings)
    .filter((f) => f.end === null && f.state !== "closed" && f.state !== "withdrawn")
    .sort(byGravity);
}
