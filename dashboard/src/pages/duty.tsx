import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import { get, person } from "../api";
import { hallNow, useNow } from "../clock";
import { MINUTE, when } from "../format";
import { ruleTitle, t, word, type Key } from "../i18n";
import { citeAll, subjectOf } from "../live/names";
import { activeFindings, byGravity } from "../live/state";
import { live } from "../live/stream";
import { alertHref, findingHref, href } from "../route";
import { useStore } from "../store";
import type { Alert, Message } from "../types";
import { Card, Empty, Loading, Raw } from "../ui/card";
import { useFetched } from "../ui/fetch";
import { preset } from "../ui/range";
import { Sign } from "../ui/sign";
import { Lasting, Since } from "../ui/time";
import { Actions, needsAck } from "./alerts/actions";
import { NoneNow } from "./alerts/last";
import { Closing, leftOver } from "./duty/closing";
import { Entries, Permits } from "./duty/forms";
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
  const left = state.site && leftOver(state).length;
  const asked = useFetched(() => whoWasTold().catch(() => ({})), [turn, open.map((a) => a.id).join()]);
  const told: Record<string, Told> = asked.data ?? {};
  return (
    <div class="stack duty">
      <SoundSwitch />
      <Jumps left={left} serves={mayServe(me)} />
      {!state.site ? (
        <Card title={t("nav.alerts")}>
          <Loading rows={4} />
        </Card>
      ) : open.length ? (
        <>
          {open.slice(0, MOST).map((alert) => (
            <AlertCard key={alert.id} alert={alert} told={told[alert.id]} />
          ))}
          {open.length > MOST && <a href={href("alerts")}>{t("strip.more", { n: open.length - MOST })}</a>}
        </>
      ) : state.hasAlerts ? (
        <Card title={t("nav.alerts")}>
          <NoneNow none="duty.none" last="duty.noneLast" />
        </Card>
      ) : (
        <Findings />
      )}
      <Place of="closing">
        <Closing />
      </Place>
      <Place of="patrol">
        <PatrolBoard range={today} turn={turn} />
      </Place>
      {mayServe(me) && (
        <Place of="register">
          <div class="pair">
            <Entries turn={turn} />
            <Permits turn={turn} gives={mayPermit(me)} />
          </div>
        </Place>
      )}
      <Place of="shift">
        <ShiftCard left={left} />
      </Place>
      <Switches />
    </div>
  );
}

const PLACES = ["closing", "patrol", "register", "shift"] as const;
type PlaceId = (typeof PLACES)[number];
const NAMES: Record<PlaceId, Key> = {
  closing: "duty.closing",
  patrol: "patrol.title",
  register: "duty.register",
  shift: "shift.title",
};

/** A part of the page that can be gone to. */
const Place = ({ of, children }: { of: PlaceId; children: ComponentChildren }) => (
  <div id={`duty-${of}`} class="place" tabIndex={-1}>
    {children}
  </div>
);

/** With many alerts the rest of the page is far below: one tap goes there. */
function Jumps({ left, serves }: { left: number | null; serves: boolean }) {
  const go = (of: PlaceId) => {
    const place = document.getElementById(`duty-${of}`);
    place?.scrollIntoView();
    place?.focus({ preventScroll: true });
  };
  return (
    <nav class="segments jumps" aria-label={t("duty.go")}>
      {PLACES.filter((of) => serves || of !== "register").map((of) => (
        <button key={of} type="button" onClick={() => go(of)}>
          {t(NAMES[of])}
          {of === "closing" && left ? ` ${left}` : ""}
        </button>
      ))}
    </nav>
  );
}

type Told = { sent: { role: string; at: string }[]; tried: boolean };

/** Who was told of each alert; nothing for those who may not ask. */
async function whoWasTold(): Promise<Record<string, Told>> {
  const page = await get<{ items: Message[] }>("/notifications?limit=200");
  const found: Record<string, Told> = {};
  for (const one of page.items.reverse()) {
    const told = (found[one.alert] ??= { sent: [], tried: false });
    told.tried ||= one.state === "failed" || one.state === "unaddressed";
    if (one.sent_at && !told.sent.some((s) => s.role === one.role)) told.sent.push({ role: one.role, at: one.sent_at });
  }
  return found;
}

function AlertCard({ alert, told }: { alert: Alert; told: Told | undefined }) {
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
      {told && told.sent.length > 0 && (
        <p class="second">
          {t("duty.told")} {told.sent.map((s) => `${word("role", s.role)} ${when(s.at, hallNow())} ✓`).join(" · ")}
        </p>
      )}
      {told?.tried && !told.sent.length && (
        <p>
          <Sign of="warning" label={false} /> {t("duty.untold")}
        </p>
      )}
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
