import { useMemo } from "preact/hooks";
import { list, query } from "../../api";
import { hallNow } from "../../clock";
import { dateOf, hm, instant as instantOf, iso, midnight, MINUTE, when } from "../../format";
import { t, word } from "../../i18n";
import { live } from "../../live/stream";
import { useStore } from "../../store";
import type { Entry, Permit } from "../../types";
import { Card, Empty, Failed, Loading, Raw } from "../../ui/card";
import { DateField, TimeField } from "../../ui/date";
import { useFetched } from "../../ui/fetch";
import { Form } from "../../ui/form";

/** 进入登记: the form, and who has been registered today. */
export function Entries({ turn }: { turn: number }) {
  const date = useStore(live, (l) => l.day?.date);
  const { data, fault, reload } = useFetched(
    () => list<Entry>(`/entries${query({ from: iso(midnight(dateOf(hallNow()))) })}`, 100),
    [turn, date],
  );
  return (
    <Card title={t("duty.entry")}>
      <Form path="/entries" body={(f) => ({ who: f.get("who"), reason: f.get("reason") })} done={reload}>
        <label>
          {t("duty.who")}
          <input name="who" required maxLength={64} pattern=".*\S.*" />
        </label>
        <label>
          {t("alert.reason")}
          <input name="reason" maxLength={500} />
        </label>
      </Form>
      <h3 class="under">{t("duty.entries")}</h3>
      {fault && !data ? (
        <Failed fault={fault} retry={reload} />
      ) : !data ? (
        <Loading rows={1} />
      ) : !data.length ? (
        <Empty>{t("duty.noEntries")}</Empty>
      ) : (
        <ul class="check">
          {data.map((e) => (
            <li key={e.id}>
              <span>
                <Raw class="strong">{e.who}</Raw> <Raw class="second">{e.reason}</Raw>
              </span>
              <span class="second">
                {when(e.at, hallNow())}
                {e.registered_by !== e.who && (
                  <>
                    {" · "}
                    <Raw>{t("duty.by", { who: e.registered_by })}</Raw>
                  </>
                )}
              </span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

const KINDS = ["overtime", "appointment", "study", "cleaning", "special"] as const;

const HOUR = 60 * MINUTE;

/** What a day and a time of day (`2026-07-01T18:00`) say, in the hall's time, as the API reads it. */
export function instant(text: FormDataEntryValue | null): string {
  const [date = "", time = "00:00"] = String(text).split("T");
  const [h = 0, m = 0] = time.split(":").map(Number);
  return iso(instantOf(date, h * 60 + m));
}

/** 登记豁免: the form for whom it is, and what is in force or to come. */
export function Permits({ turn, gives }: { turn: number; gives: boolean }) {
  const zones = useStore(live, (l) => l.site?.zones ?? []);
  const { data, fault, reload } = useFetched(() => list<Permit>(`/permits${query({ from: iso(hallNow()) })}`, 100), [turn]);
  const name = (id: string) => zones.find((z) => z.id === id)?.name ?? id;
  return (
    <Card title={t("duty.permit")}>
      {gives && <Give done={reload} />}
      <h3 class="under">{t("duty.permits")}</h3>
      {fault && !data ? (
        <Failed fault={fault} retry={reload} />
      ) : !data ? (
        <Loading rows={1} />
      ) : !data.length ? (
        <Empty>{t("duty.noPermits")}</Empty>
      ) : (
        <ul class="permits">
          {data.map((p) => (
            <li key={p.id}>
              <p>
                <b>{word("permit", p.kind)}</b> <Raw>{p.zones.map(name).join(t("common.list"))}</Raw>
              </p>
              <p class="second">
                {when(p.from, hallNow())}–{when(p.to, hallNow())} · <Raw>{p.reason}</Raw> · <Raw>{p.approved_by}</Raw>
              </p>
              {gives && (
                <Form
                  path={`/permits/${encodeURIComponent(p.id)}`}
                  method="DELETE"
                  plain
                  go={t("duty.withdraw")}
                  body={() => undefined}
                  denied={t("common.forbidden")}
                  done={reload}
                >
                  {null}
                </Form>
              )}
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function Give({ done }: { done: () => void }) {
  const zones = useStore(live, (l) => l.site?.zones ?? []);
  // until nine in the evening, or two hours where it is later than that
  const now = useMemo(hallNow, []);
  const end = Math.max(midnight(dateOf(now)) + 21 * HOUR, now + 2 * HOUR);
  return (
      <Form
        path="/permits"
        body={(f) => ({
          kind: f.get("kind"),
          zones: f.getAll("zones"),
          from: instant(`${String(f.get("from-day"))}T${String(f.get("from-time"))}`),
          to: instant(`${String(f.get("to-day"))}T${String(f.get("to-time"))}`),
          reason: f.get("reason"),
        })}
        done={done}
      >
        <div class="two">
          <label>
            {t("duty.kind")}
            <select name="kind">
              {KINDS.map((k) => (
                <option key={k} value={k}>
                  {t(`permit.${k}`)}
                </option>
              ))}
            </select>
          </label>
          <label>
            {t("duty.zone")}
            <select name="zones" translate={false}>
              {zones.map((z) => (
                <option key={z.id} value={z.id}>
                  {z.name}
                </option>
              ))}
            </select>
          </label>
        </div>
        <div class="two">
          <DateField name="from-day" label={t("duty.fromDay")} required value={dateOf(now)} />
          <TimeField name="from-time" label={t("duty.fromTime")} value={hm(now)} />
        </div>
        <div class="two">
          <DateField name="to-day" label={t("duty.toDay")} required value={dateOf(end)} />
          <TimeField name="to-time" label={t("duty.toTime")} value={hm(end)} />
        </div>
        <label>
          {t("alert.reason")}
          <Raw>
            <input name="reason" required maxLength={500} style={{ width: "100%" }} />
          </Raw>
        </label>
      </Form>
  );
}
