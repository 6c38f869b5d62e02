import { useMemo } from "preact/hooks";
import { person } from "../api";
import { useNow } from "../clock";
import { MINUTE } from "../format";
import { ruleTitle, t } from "../i18n";
import { citeAll, subjectOf } from "../live/names";
import { activeFindings, byGravity } from "../live/state";
import { live } from "../live/stream";
import { alertHref, findingHref, href } from "../route";
import { useStore } from "../store";
import type { Alert } from "../types";
import { Card, Empty, Loading, Raw } from "../ui/card";
import { preset } from "../ui/range";
import { Sign } from "../ui/sign";
import { Lasting, Since } from "../ui/time";
import { Actions, needsAck } from "./alerts/actions";
import { EntryForm, PermitForm } from "./duty/forms";
import { Closing, leftOver } from "./duty/closing";
import { mayPermit, mayServe } from "./duty/may";
import { ShiftCard } from "./duty/shift";
import { SoundSwitch } from "./duty/sound";
import { Switches } from "./duty/switch";
import { PatrolBoard } from "./safety/patrols";

const MOST = 20; // cards; the alerts page has all

/** 值班: made for a phone. What nobody has acknowledged comes first, then the closing check. */
export function Duty() {
  const state = useStore(live, (l) => l);
  const me = useStore(person, (p) => p);
  const turn = Math.floor(useNow(20_000) / (2 * MINUTE));
  const date = state.day?.date;
  const today = useMemo(() => preset("today"), [date]);
  const open = Object.values(state.alerts).filter(needsAck).sort(byGravity);
  return (
    <div class="stack duty">
      <SoundSwitch sounding={open.some((a) => a.state === "unacknowledged")} />
      {!state.site ? (
        <Card title={t("nav.alerts")}>
          <Loading rows={4} />
        </Card>
      ) : open.length ? (
        <>
          {open.slice(0, MOST).map((alert) => (
            <AlertCard key={alert.id} alert={alert} />
          ))}
          {open.length > MOST && <a href={href("alerts")}>{t("strip.more", { n: open.length - MOST })}</a>}
        </>
      ) : state.hasAlerts ? (
        <Card title={t("nav.alerts")}>
          <Empty>{t("duty.none")}</Empty>
        </Card>
      ) : (
        <Findings />
      )}
      <Closing />
      <PatrolBoard range={today} turn={turn} />
      <ShiftCard left={state.site && leftOver(state).length} />
      <Switches />
      {mayServe(me) && (
        <div class="pair">
          <EntryForm />
          {mayPermit(me) && <PermitForm />}
        </div>
      )}
    </div>
  );
}

function AlertCard({ alert }: { alert: Alert }) {
  const site = useStore(live, (l) => l.site);
  const { name, place } = subjectOf(site, alert.subject, alert.zone);
  return (
    <section class={`card alert-card ${alert.severity}`} aria-label={ruleTitle(alert.rule)}>
      <h2>
        <span class={alert.state === "unacknowledged" ? "flash-box" : ""}>
          <Sign of={alert.severity} />
        </span>{" "}
        <a href={alertHref(alert.id)}>
          <Raw>{name}</Raw> · {ruleTitle(alert.rule)}
        </a>
      </h2>
      <p class="second">
        {place && (
          <>
            <Raw>{place}</Raw> ·{" "}
          </>
        )}
        <Since at={alert.since} /> · <Lasting since={alert.since} end={alert.returned_at} />
        {alert.cites && alert.cites.length > 0 && ` · ${citeAll(alert.cites)}`}
      </p>
      {alert.state === "returned" && <p>{t("astate.returned")}</p>}
      <Actions alert={alert} short />
    </section>
  );
}

/** Where the gateway keeps no alerts: the findings that hold. */
function Findings() {
  const site = useStore(live, (l) => l.site);
  const active = activeFindings(useStore(live, (l) => l.findings));
  return (
    <Card title={t("now.title")}>
      {!active.length && <Empty>{t("now.none")}</Empty>}
      <ul class="check">
        {active.map((f) => (
          <li key={f.id}>
            <Sign of={f.severity} />
            <a href={findingHref(f.id)}>
              <Raw>{subjectOf(site, f.subject, f.zone).name}</Raw> · {ruleTitle(f.rule)}
            </a>
            <span class="second">
              <Since at={f.since} />
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
