import { useState } from "preact/hooks";
import { list, person } from "../api";
import { ruleTitle, t } from "../i18n";
import { subjectOf } from "../live/names";
import { byGravity } from "../live/state";
import { live } from "../live/stream";
import { alertHref } from "../route";
import { useStore } from "../store";
import type { Alert } from "../types";
import { Card, Empty, Failed, Loading, Raw } from "../ui/card";
import { useFetched } from "../ui/fetch";
import { later } from "../ui/later";
import { Sign, Tally } from "../ui/sign";
import { Lasting, Since } from "../ui/time";
import { Actions, needsAck } from "./alerts/actions";
import { NoneNow } from "./alerts/last";
import { StateOf } from "./alerts/state";
import { mayServe } from "./duty/may";

const AlertDetail = later(() => import("./alerts/detail").then((m) => m.AlertDetail));

const TABS = ["active", "shelved", "history"] as const;
type Tab = (typeof TABS)[number];

/** Worst first, then what nobody has acknowledged, then the oldest. */
function order(a: Alert, b: Alert): number {
  const grave = byGravity({ ...a, since: "0" }, { ...b, since: "0" }) || 0;
  return grave || Number(needsAck(b)) - Number(needsAck(a)) || Date.parse(a.since) - Date.parse(b.since);
}

const ASIDE = new Set(["shelved", "suppressed", "out-of-service"]);
const within: Record<Tab, (a: Alert) => boolean> = {
  active: (a) => !ASIDE.has(a.state) && a.state !== "normal",
  shelved: (a) => ASIDE.has(a.state),
  history: (a) => a.state === "normal",
};

/** 告警: active, shelved, history; one alert's detail. */
export function Alerts({ rest }: { rest: string[] }) {
  const [tab, setTab] = useState<Tab>("active");
  const held = useStore(live, (l) => l.alerts);
  const ready = useStore(live, (l) => l.site !== null);
  const unread = useStore(live, (l) => l.unread);
  const me = useStore(person, (p) => p);
  const history = () => list<Alert>("/alerts?state=normal", 500);
  const past = useFetched<Alert[] | null>(() => (tab === "history" ? history() : Promise.resolve(null)), [
    tab === "history",
  ]);
  if (rest[0]) return <AlertDetail id={rest[0]} key={rest[0]} />;
  const all = Object.values(held);
  const rows = tab === "history" ? [...(past.data ?? [])] : all.filter(within[tab]).sort(order);
  const open = all.filter((a) => !within.history(a)).length;
  // of alerts that are not read yet nobody knows the tab
  const count = (name: Tab) => (name === "history" ? "" : ` ${all.filter(within[name]).length}${unread ? "+" : ""}`);
  return (
    <div class="stack">
      <div class="page-head">
        <p class="page-title" aria-hidden="true">
          {t("nav.alerts")}
        </p>
        <div class="segments" role="group" aria-label={t("nav.alerts")}>
          {TABS.map((name) => (
            <button key={name} type="button" aria-pressed={tab === name} onClick={() => setTab(name)}>
              {t(`alert.${name}`)}
              {count(name)}
            </button>
          ))}
        </div>
      </div>
      {unread > 0 && tab !== "history" && (
        <p class="second" role="status">
          {t("alert.unread", { n: open, all: open + unread })}
        </p>
      )}
      <Card title={t(`alert.${tab}`)} aside={<Tally items={rows} />}>
        {tab === "history" && past.fault && !past.data ? (
          <Failed fault={past.fault} retry={past.reload} />
        ) : !ready || (tab === "history" && !past.data) ? (
          <Loading rows={5} />
        ) : rows.length ? (
          <Table rows={rows} acts={tab === "active" && mayServe(me)} />
        ) : tab === "active" ? (
          <NoneNow none="alert.none.active" last="alert.noneActiveLast" />
        ) : (
          <Empty>{t(`alert.none.${tab}`)}</Empty>
        )}
      </Card>
    </div>
  );
}

const STEP = 100; // rows drawn at first, and with each tap for more

function Table({ rows, acts }: { rows: Alert[]; acts: boolean }) {
  const [most, more] = useState(STEP);
  const site = useStore(live, (l) => l.site);
  return (
    <div class="table-scroll">
      <table class="alerts-table">
        <thead>
          <tr>
            <th scope="col">{t("alert.severity")}</th>
            <th scope="col">{t("alert.what")}</th>
            <th scope="col">{t("alert.place")}</th>
            <th scope="col">{t("alert.since")}</th>
            <th scope="col">{t("alert.state")}</th>
            {acts && <th scope="col">{t("alert.do")}</th>}
          </tr>
        </thead>
        <tbody>
          {rows.slice(0, most).map((a) => {
            const { name, place } = subjectOf(site, a.subject, a.zone);
            const flash = a.state === "unacknowledged";
            return (
              <tr key={a.id} class={`${a.severity}${needsAck(a) ? " unacked" : ""}`}>
                <td>
                  <span class={flash ? "flash-box" : ""}>
                    <Sign of={a.severity} />
                  </span>
                </td>
                <td>
                  <span class="alert-title">
                    <a href={alertHref(a.id)}>{ruleTitle(a.rule)}</a>
                    <span class="second">
                      <Raw>{name}</Raw>
                    </span>
                  </span>
                </td>
                <td>
                  <Raw>{place}</Raw>
                </td>
                <td>
                  <Since at={a.since} />{" "}
                  <span class="second">
                    <Lasting since={a.since} end={a.end ?? a.returned_at ?? a.closed_at} />
                  </span>
                </td>
                <td>
                  <StateOf alert={a} />
                </td>
                {acts && (
                  <td>
                    <Actions alert={a} short />
                  </td>
                )}
              </tr>
            );
          })}
        </tbody>
      </table>
      {rows.length > most && (
        <button type="button" class="button wide-button" onClick={() => more(most + STEP)}>
          {t("strip.more", { n: rows.length - most })}
        </button>
      )}
    </div>
  );
}
