import { get, list, person, query } from "../../api";
import { hallNow } from "../../clock";
import { addDays, dateOf, hm, iso, midnight, MINUTE, ms, weekdayName, when } from "../../format";
import { t, word } from "../../i18n";
import { live } from "../../live/stream";
import { useStore } from "../../store";
import { Card, Empty, Failed, Loading, Raw } from "../../ui/card";
import { DateField, TimeField } from "../../ui/date";
import { useFetched } from "../../ui/fetch";
import { Sign } from "../../ui/sign";
import { instant } from "../duty/forms";
import { may } from "./may";
import { Acts, CounterChoice, More, said, Text, useCounterName, usePages, type Doing } from "./parts";
import type { Appointment, Barred } from "./types";

/** 预约: what is to be confirmed, what comes, whom the bar keeps out, and what was. */
export function Appointments() {
  const me = useStore(person, (p) => p);
  const kept = useStore(live, (l) => l.kept);
  const today = useStore(live, (l) => l.day?.date ?? dateOf(hallNow()));
  const begin = iso(midnight(today));
  const { data, fault, reload } = useFetched(
    async () => {
      const [proposed, coming, barred] = await Promise.all([
        list<Appointment>("/appointments?proposed=true"),
        list<Appointment>(`/appointments${query({ from: begin })}`, 1000),
        get<{ items: Barred[] }>("/appointments/barred"),
      ]);
      return { proposed, coming: coming.reverse(), barred: barred.items };
    },
    [kept, begin],
  );
  const past = usePages<Appointment>(`/appointments${query({ to: begin })}`);
  const asked = new Set(data?.proposed.map((one) => one.id));
  const before = past.items?.filter((one) => !asked.has(one.id));
  const again = () => {
    reload();
    past.reload();
  };
  if (!data) {
    return (
      <Card title={t("ap.coming")}>{fault ? <Failed fault={fault} retry={reload} /> : <Loading rows={5} />}</Card>
    );
  }
  return (
    <>
      {data.proposed.length > 0 && (
        <Card title={t("ap.proposed")} aside={<span class="second">n {data.proposed.length}</span>}>
          <p class="second">{t("ap.proposedWhy")}</p>
          <Rows of={data.proposed} reload={again} />
        </Card>
      )}
      <Card title={t("ap.coming")} aside={<span class="second">n {data.coming.length}</span>}>
        {may(me, "book") && <Acts of={[booking()]} changed={again} />}
        {data.coming.length ? <Rows of={data.coming} reload={again} /> : <Empty>{t("ap.noneComing")}</Empty>}
      </Card>
      {data.barred.length > 0 && (
        <Card title={t("ap.barred")} aside={<span class="second">n {data.barred.length}</span>}>
          <ul class="ledger-rows">
            {data.barred.map((one) => (
              <li key={one.no_shows.map((n) => n.id).join()}>
                <span class="due">{t("ap.until", { day: one.until })}</span>
                <span class="what second">
                  {t("ap.missedOn", { days: one.no_shows.map((n) => n.day).join(t("common.list")) })}
                </span>
              </li>
            ))}
          </ul>
        </Card>
      )}
      <Card title={t("ap.past")}>
        {!before ? (
          past.fault ? (
            <Failed fault={past.fault} retry={past.reload} />
          ) : (
            <Loading />
          )
        ) : before.length ? (
          <Rows of={before} reload={again} />
        ) : (
          <Empty>{t("ap.nonePast")}</Empty>
        )}
        <More more={past.more} />
      </Card>
    </>
  );
}

function booking(): Doing {
  const tomorrow = addDays(dateOf(hallNow()), 1);
  return {
    id: "book",
    label: t("ap.new"),
    path: "/appointments",
    body: (f) => ({
      from: instant(`${String(f.get("day"))}T${String(f.get("from-time"))}`),
      to: instant(`${String(f.get("day"))}T${String(f.get("to-time"))}`),
      counter: said(f, "counter"),
      matter: said(f, "matter"),
      card: said(f, "card"),
    }),
    fields: (
      <>
        <div class="field-grid">
          <CounterChoice />
          <Text name="matter" label={t("col.matter")} />
          <DateField name="day" label={t("ap.day")} required min={dateOf(hallNow())} value={tomorrow} />
          <TimeField name="from-time" label={t("common.from")} />
          <TimeField name="to-time" label={t("common.to")} />
          <CardField />
        </div>
        <p class="second">{t("ap.cardNote")}</p>
      </>
    ),
  };
}

function CardField() {
  return (
    <label>
      {t("ap.card")}
      <input name="card" required minLength={4} maxLength={64} pattern="[A-Za-z0-9 ()\-]+" autocomplete="off" />
    </label>
  );
}

function Rows({ of, reload }: { of: Appointment[]; reload: () => void }) {
  return (
    <ul class="ledger-rows">
      {of.map((one) => (
        <Row key={one.id} one={one} reload={reload} />
      ))}
    </ul>
  );
}

function Row({ one, reload }: { one: Appointment; reload: () => void }) {
  const me = useStore(person, (p) => p);
  const name = useCounterName();
  const now = hallNow();
  const day = dateOf(one.from);
  const last = one.events[one.events.length - 1];
  return (
    <li class={one.state === "struck" ? "entry ap-row struck" : "entry ap-row"}>
      <span class="num">
        {day.slice(5)} {weekdayName(day)} {hm(one.from)}–{hm(one.to)}
      </span>
      <span class="what">
        <Raw>{one.matter}</Raw>
        <span class="second">
          <Raw>{name(one.counter)}</Raw>
          {" · "}
          {one.entry ? (
            <>
              {t("ap.entered", { at: hm(one.entry.at) })} <Raw>{one.entry.who}</Raw>
            </>
          ) : one.state === "booked" || one.state === "attended" ? (
            t("ap.noEntry")
          ) : null}
          {one.state === "booked" && now < ms(one.cancel_by) && ` · ${t("ap.cancelBy", { at: when(one.cancel_by, now) })}`}
          {one.state === "booked" && ` · ${t("ap.permit")}`}
        </span>
        {last && (
          <span class="second">
            {word("apdid", last.what)} <Raw>{last.who}</Raw> {when(last.at, now)}
            {last.note && (
              <>
                {t("common.colon")}
                <Raw>{last.note}</Raw>
              </>
            )}
          </span>
        )}
      </span>
      <span class="state">
        {one.counts_as_no_show && <Sign of="notice" label={false} />} {word("apstate", one.state)}
        {one.no_shows > 0 && <span class="second"> {t("ap.count", { n: one.no_shows })}</span>}
      </span>
      <Acts of={doings(one, me, now)} changed={reload} />
    </li>
  );
}

/** An entry belongs to an appointment from so long before it to so long after it. */
const MARGIN = 30 * MINUTE;

function doings(one: Appointment, me: Parameters<typeof may>[0], now: number): Doing[] {
  const path = `/appointments/${encodeURIComponent(one.id)}`;
  const noted = (id: string, label: string, primary = false): Doing => ({
    id,
    label,
    primary,
    path: `${path}/${id}`,
    body: (f) => ({ note: said(f, "note") }),
    fields: <Text name="note" label={t("field.why")} />,
  });
  const made: Doing[] = [];
  const begun = now >= ms(one.from);
  const over = dateOf(now) > dateOf(one.from);
  if (one.state === "booked") {
    if (may(me, "book") && dateOf(now) === dateOf(one.from)) {
      made.push({
        id: "attend",
        label: t("ap.attend"),
        primary: true,
        path: `${path}/attend`,
        body: (f) => ({ card: said(f, "card") }),
        fields: <CardField />,
      });
    }
    if (may(me, "judge") && begun) {
      made.push(noted("no-show", t("ap.noShow"), over));
      if (over) made.push(noted("came", t("ap.came")));
    }
    if (may(me, "book") && !begun) made.push(noted("cancel", t("ap.cancel")));
  }
  const near = now >= ms(one.from) - MARGIN && now < ms(one.to) + MARGIN;
  if (!one.entry && near && may(me, "judge") && (one.state === "booked" || one.state === "attended")) {
    made.push({
      id: "entry",
      label: t("duty.entry"),
      path: "/entries",
      body: (f) => ({ who: said(f, "who"), reason: t("ap.reason", { what: one.matter }) }),
      fields: <Text name="who" label={t("duty.who")} most={64} />,
    });
  }
  if (one.state !== "struck" && may(me, "unbook")) made.push(noted("strike", t("did.strike")));
  return made;
}
