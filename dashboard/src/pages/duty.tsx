import { ruleTitle, t } from "../i18n";
import { citeAll, subjectOf } from "../live/names";
import { flag, lit } from "../live/read";
import { activeFindings, byGravity } from "../live/state";
import { live } from "../live/stream";
import { alertHref, findingHref } from "../route";
import { useStore } from "../store";
import type { Alert } from "../types";
import { Card, Empty, Loading, Raw } from "../ui/card";
import { Sign } from "../ui/sign";
import { Lasting, Since } from "../ui/time";
import { Actions, needsAck } from "./alerts/actions";
import { EntryForm, PermitForm } from "./duty/forms";
import { PatrolCard } from "./overview/feet";
import { SoundSwitch } from "./duty/sound";

/** 值班: made for a phone. What nobody has acknowledged comes first, then the closing check. */
export function Duty() {
  const state = useStore(live, (l) => l);
  const open = Object.values(state.alerts).filter(needsAck).sort(byGravity);
  return (
    <div class="stack duty">
      <SoundSwitch sounding={open.some((a) => a.state === "unacknowledged")} />
      {!state.site ? (
        <Card title={t("nav.alerts")}>
          <Loading rows={4} />
        </Card>
      ) : open.length ? (
        open.map((alert) => <AlertCard key={alert.id} alert={alert} />)
      ) : state.hasAlerts ? (
        <Card title={t("nav.alerts")}>
          <Empty>{t("duty.none")}</Empty>
        </Card>
      ) : (
        <Findings />
      )}
      <Closing />
      <PatrolCard />
      <div class="pair">
        <EntryForm />
        <PermitForm />
      </div>
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

/** What is still open, on or unknown, as the sensors see it. */
function Closing() {
  const site = useStore(live, (l) => l.site);
  const channels = useStore(live, (l) => l.channels);
  if (!site) return null;
  const todo: { id: string; name: string; zone: string; what: string }[] = [];
  const add = (thing: { id: string; name: string; zone: string }, state: boolean | null, on: string) => {
    if (state !== false) todo.push({ ...thing, what: state === null ? t("state.unknown") : on });
  };
  for (const o of site.openings) if (o.contact) add(o, flag(channels, o.contact, "open"), t("state.openDoor"));
  for (const c of site.circuits) if (c.use === "lighting") add(c, lit(channels, c), t("duty.lit"));
  for (const a of site.acs) add(a, flag(channels, a.source, "on"), t("duty.acOn"));
  const zone = (id: string) => site.zones.find((z) => z.id === id)?.name ?? id;
  return (
    <Card title={t("duty.closing")} aside={t("duty.left", { n: todo.length })}>
      {todo.length ? (
        <ul class="check">
          {todo.map((x) => (
            <li key={x.id}>
              <Raw>{x.name}</Raw>
              <b>{x.what}</b>
              <span class="second">
                <Raw>{zone(x.zone)}</Raw>
              </span>
            </li>
          ))}
        </ul>
      ) : (
        <Empty>{t("duty.clear")}</Empty>
      )}
    </Card>
  );
}
