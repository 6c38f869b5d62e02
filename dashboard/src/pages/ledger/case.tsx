import { useState } from "preact/hooks";
import { get, person, query } from "../../api";
import { hallNow } from "../../clock";
import { dateOf, when } from "../../format";
import { t, word } from "../../i18n";
import { citeAll, shortOf } from "../../live/names";
import { live } from "../../live/stream";
import { href } from "../../route";
import { useStore } from "../../store";
import { Card, Failed, Loading, Raw } from "../../ui/card";
import { DateField } from "../../ui/date";
import { useFetched } from "../../ui/fetch";
import { doings } from "./deeds";
import { may } from "./may";
import { Acts, DueOf, refusal, Text, useCounterName } from "./parts";
import type { Appeal, Case, CaseEvent } from "./types";

/** The way of a kind from its start to its end; a state is a stop on it. */
const WAYS: Record<string, string[]> = {
  hazard: ["open", "issued", "rectified", "rechecked", "closed"],
  "bad-rating": ["open", "rectified", "closed"],
  complaint: ["open", "reported", "closed"],
};

export function CaseDetail({ id }: { id: string }) {
  const kept = useStore(live, (l) => l.kept);
  const path = `/cases/${encodeURIComponent(id)}`;
  const { data, fault, reload } = useFetched(() => get<Case>(path), [id, kept]);
  const back = (
    <a class="back" href={href("ledger", "cases")}>
      {t("case.back")}
    </a>
  );
  if (!data) {
    return (
      <>
        {back}
        <Card title={t("case.one")}>{fault ? <Failed fault={fault} retry={reload} /> : <Loading rows={6} />}</Card>
      </>
    );
  }
  return (
    <>
      {back}
      <Facts of={data} reload={reload} />
      <div class="pair">
        <History events={data.events} kind={data.kind} />
        <div class="stack">
          {data.appeal && <AppealCard of={data.appeal} />}
          <Contact of={data} reload={reload} />
        </div>
      </div>
    </>
  );
}

function Facts({ of, reload }: { of: Case; reload: () => void }) {
  const name = useCounterName();
  const facts: [string, string | null | undefined, boolean?][] = [
    [t("case.number"), shortOf(of.id), true],
    [t("ratings.counter"), name(of.counter), true],
    [t("field.holder"), of.holder, true],
    [t("case.received"), of.received.length > 10 ? when(of.received, hallNow()) : of.received],
    [t("case.openedBy"), of.opened_by === "gateway" ? t("log.gateway") : of.opened_by, of.opened_by !== "gateway"],
    [t("field.level"), of.rating?.level ? word("level", String(of.rating.level)) : null],
    [t("case.promised"), of.days === null ? null : t(of.unit === "days" ? "case.nDays" : "case.nWorkdays", { n: of.days })],
    [t("case.rule"), citeAll(of.cites)],
  ];
  return (
    <Card title={t("case.one")} aside={<span class="strong">{word("cstate", of.state)}</span>}>
      <p class="case-title">
        <span class="tag">{word("case", of.kind)}</span>
        <Raw>{of.title}</Raw>
      </p>
      <Way of={of} />
      <p class="case-due">
        <DueOf of={of} />
        {of.late && of.phase !== "overdue" && <span class="second">{t("case.wasLate")}</span>}
        {of.reopened && <span class="second">{t("case.reopened")}</span>}
      </p>
      <dl class="facts">
        {facts.map(
          ([label, value, raw]) =>
            value && (
              <div key={label}>
                <dt>{label}</dt>
                <dd>{raw ? <Raw>{value}</Raw> : value}</dd>
              </div>
            ),
        )}
      </dl>
      {of.legs.length > 0 && (
        <ul class="second legs" aria-label={t("case.legs")}>
          {of.legs.map((leg, i) => (
            <li key={i}>
              {t(leg.late ? "case.legLate" : "case.leg", { due: leg.due, ended: leg.ended.slice(0, 10) })}
              {leg.holder && (
                <>
                  {" · "}
                  <Raw>{leg.holder}</Raw>
                </>
              )}
            </li>
          ))}
        </ul>
      )}
      <Acts of={doings(of)} version={of.last} changed={reload} />
    </Card>
  );
}

/** 登记 → 下发 → 整改 → 复查 → 销号, with the stop at which it stands. */
function Way({ of }: { of: Case }) {
  const way = WAYS[of.kind];
  if (!way || of.state === "struck") return null;
  const at = way.indexOf(of.state);
  return (
    <ol class="way">
      {way.map((stop, i) => (
        <li key={stop} class={i < at ? "past" : ""} aria-current={i === at ? "step" : undefined}>
          {word(`way.${of.kind}`, stop)}
        </li>
      ))}
    </ol>
  );
}

/** What was done to it, the latest first. */
function History({ events, kind }: { events: CaseEvent[]; kind: string }) {
  const now = hallNow();
  return (
    <Card title={t("case.history")} aside={<span class="second">n {events.length}</span>}>
      <ol class="case-log">
        {[...events].reverse().map((event) => (
          <li key={event.n}>
            <span class="second num">{event.at.length > 10 ? when(event.at, now) : event.at}</span>
            <span>
              <b>{event.what === "close" && kind === "hazard" ? t("way.hazard.closed") : word("did", event.what)}</b>{" "}
              <span class="second">{event.who === "gateway" ? t("log.gateway") : <Raw>{event.who}</Raw>}</span>
              <Said data={event.data} what={event.what} />
            </span>
          </li>
        ))}
      </ol>
    </Card>
  );
}

const ALONE = new Set(["note", "outcome"]);
const LEFT_OUT = new Set(["title", "level", "channel", "was_provisional", "provisional"]);

function Said({ data, what }: { data: Record<string, unknown>; what: string }) {
  const name = useCounterName();
  const rows = Object.entries(data).filter(([key]) => !LEFT_OUT.has(key));
  const shown = (key: string, value: unknown): string => {
    if (typeof value === "boolean") return t(key === "passed" ? (value ? "yes.passed" : "no.passed") : value ? "yes" : "no");
    if (key === "counter") return name(String(value));
    if (key === "unit") return word("unit", String(value));
    return String(value);
  };
  return (
    <>
      {rows.map(([key, value]) => (
        <span key={key} class="said">
          {!(ALONE.has(key) && what !== "open") && (
            <span class="second">{what === "open" && key === "due" ? t("case.until") : word("field", key)} </span>
          )}
          {typeof value === "boolean" || key === "unit" ? shown(key, value) : <Raw>{shown(key, value)}</Raw>}
        </span>
      ))}
    </>
  );
}

function AppealCard({ of }: { of: Appeal }) {
  const state = of.stands
    ? t("appeal.upheld")
    : of.upheld === null
      ? t("appeal.waits")
      : of.confirmed_by
        ? t("appeal.rejected")
        : t("appeal.second");
  return (
    <Card title={t("appeal.title")} aside={<span class="strong">{state}</span>}>
      <ul class="appeal">
        <li>
          <span class="second">{t("appeal.by")}</span> <Raw>{of.by}</Raw>
          {t("common.colon")}
          <Raw>{of.why}</Raw>
        </li>
        {of.decided_by && (
          <li>
            <span class="second">{t("appeal.decided")}</span> <Raw>{of.decided_by}</Raw>
            {t("common.colon")}
            {t(of.upheld ? "appeal.yes" : "appeal.no")} <Raw>{of.decided_why ?? ""}</Raw>
          </li>
        )}
        {of.confirmed_by && (
          <li>
            <span class="second">{t("appeal.confirmed")}</span> <Raw>{of.confirmed_by}</Raw>
          </li>
        )}
      </ul>
    </Card>
  );
}

/** How to reach the citizen: sealed, shown for a reason that is kept, hidden again by one tap. */
function Contact({ of, reload }: { of: Case; reload: () => void }) {
  const me = useStore(person, (p) => p);
  const [asking, ask] = useState(false);
  const [text, show] = useState("");
  const [fault, setFault] = useState("");
  const { contact } = of;
  const mine = may(me, "contact");
  const people = of.kind === "bad-rating" || of.kind === "complaint";
  if (!contact && !(mine && people && of.state !== "struck")) return null;
  const look = (event: SubmitEvent) => {
    event.preventDefault();
    const reason = new FormData(event.currentTarget as HTMLFormElement).get("reason");
    setFault("");
    get<{ text: string }>(`/cases/${encodeURIComponent(of.id)}/contact${query({ reason: String(reason) })}`).then(
      (answer) => {
        show(answer.text);
        ask(false);
      },
      (why: unknown) => setFault(refusal(why)),
    );
  };
  const today = dateOf(hallNow());
  const add = {
    id: "contact",
    label: t("contact.add"),
    path: `/cases/${encodeURIComponent(of.id)}/contact`,
    body: (f: FormData) => ({ text: f.get("text"), purpose: f.get("purpose"), until: f.get("until") || undefined }),
    fields: (
      <>
        <Text name="text" label={t("contact.text")} />
        <Text name="purpose" label={t("contact.purpose")} value={t("contact.callback")} />
        <DateField name="until" label={t("ledger.optional", { what: t("contact.until") })} min={today} value="" />
      </>
    ),
  };
  return (
    <Card title={t("contact.title")}>
      {!contact ? (
        <>
          <p class="second">{t("contact.sealed")}</p>
          <div class="contact-do" />
          <Acts of={[add]} changed={reload} />
        </>
      ) : contact.erased_at ? (
        <p class="second">{t("contact.erased", { day: dateOf(contact.erased_at) })}</p>
      ) : (
        <>
          <p>
            {t("contact.kept", { day: contact.until })} · <Raw>{contact.purpose}</Raw>
          </p>
          {text ? (
            <p class="contact-text" role="status">
              <Raw class="strong">{text}</Raw>
              <button type="button" class="button" onClick={() => show("")}>
                {t("contact.hide")}
              </button>
            </p>
          ) : (
            mine && (
              <div class="actions contact-do">
                <button type="button" class="button" aria-expanded={asking} onClick={() => ask(!asking)}>
                  {t("contact.look")}
                </button>
              </div>
            )
          )}
          {asking && !text && (
            <form class="form act-form" onSubmit={look}>
              <p class="second">{t("contact.audited")}</p>
              <Text name="reason" label={t("contact.why")} most={200} />
              <button type="submit" class="button primary">
                {t("contact.look")}
              </button>
            </form>
          )}
          <p class="form-fault" role="alert">
            {fault}
          </p>
        </>
      )}
    </Card>
  );
}
