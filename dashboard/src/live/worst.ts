import { activeFindings, byGravity, isUnheeded, type Live } from "./state";

export interface Head {
  id: string;
  kind: "alert" | "finding";
  rule: string;
  subject: string;
  zone: string | null;
  severity: string;
  since: string;
  /** The condition is over, but nobody has acknowledged it. */
  over: boolean;
}

/** Alerts that nobody has acknowledged, worst first; findings where the gateway has no alerts. */
export function unacknowledged(live: Live): Head[] {
  if (!live.hasAlerts) {
    return activeFindings(live.findings)
      .filter((f) => f.severity === "critical" || f.severity === "warning")
      .map((f) => ({ ...f, kind: "finding" as const, over: false }));
  }
  return Object.values(live.alerts)
    .filter(isUnheeded)
    .sort((a, b) => Number(a.state === "returned") - Number(b.state === "returned") || byGravity(a, b))
    .map((a) => ({ ...a, zone: a.zone ?? null, kind: "alert" as const, over: a.state === "returned" }));
}
