import { useMemo, useState } from "preact/hooks";
import { list, person } from "../../api";
import { hallNow } from "../../clock";
import { addDays, dateOf, hm, stamp, when } from "../../format";
import { t, word } from "../../i18n";
import { live } from "../../live/stream";
import { href } from "../../route";
import { useStore } from "../../store";
import { Card, Empty, Failed, Loading, Raw } from "../../ui/card";
import { DateField, TimeField } from "../../ui/date";
import { useFetched } from "../../ui/fetch";
import { Sign } from "../../ui/sign";
import { instant } from "../duty/forms";
import { may } from "./may";
import { Acts, Choice, DayField, More, said, Text, usePages, type Doing } from "./parts";
import type { Entry } from "./types";

const BOOKS = ["extinguisher", "hot-work", "courier", "notice", "assisted"] as const;
type Book = (typeof BOOKS)[number];
const WARN_DAYS = 30;
const WATCHED_M = 2;

/** 登记簿: one book at a time. What is wrong is struck out with a reason; nothing is deleted. */
export function Registers({ rest }: { rest: string[] }) {
  const book = BOOKS.find((b) => b === rest[0]) ?? "extinguisher";
  return (
    <>
      <div class="ledger-tools">
        <nav class="segments" aria-label={t("ledger.registers")}>
          {BOOKS.map((b) => (
            <a key={b} href={href("ledger", "registers", b)} aria-current={b === book ? "page" : undefined}>
              {t(`book.${b}`)}
            </a>
          ))}
        </nav>
      </div>
      {book === "extinguisher" && <Extinguishers />}
      {book === "hot-work" && <Unchecked />}
      <Log book={book} key={book} />
    </>
  );
}

/** Where each extinguisher stands, the one whose check comes first on top. */
function Extinguishers() {
  const kept = useStore(live, (l) => l.kept);
  const today = useStore(live, (l) => l.day?.date ?? dateOf(hallNow()));
  const { data, fault, reload } = useFetched(() => list<Entry>("/registers/extinguisher?standing=true"), [kept]);
  const rows = data
    ?.filter((e) => e.data.removed !== true)
    .sort((a, b) => String(a.data.next_check).localeCompare(String(b.data.next_check)));
  return (
    <Card title={t("ext.title")} aside={rows && <span class="second">n {rows.length}</span>}>
      {!rows ? (
        fault ? (
          <Failed fault={fault} retry={reload} />
        ) : (
          <Loading />
        )
      ) : rows.length ? (
        <ul class="ledger-rows">
          {rows.map((e) => {
            const day = String(e.data.next_check);
            const over = day < today;
            const soon = addDays(day, -WARN_DAYS) <= today;
            return (
              <li key={e.id} class="ext-row">
                <span class={over ? "due over" : "due"}>
                  {over ? <Sign of="warning" label={false} /> : soon && <Sign of="notice" label={false} />}
                  <span>{over ? t("ext.over") : soon ? t("ext.soon") : t("ext.fine")}</span>
                  <span class="second num">{day}</span>
                </span>
                <span class="what">
                  <Raw class="strong">{e.item}</Raw>
                  <Raw class="second">
                    {String(e.data.kind)} · {String(e.data.place)}
                  </Raw>
                </span>
              </li>
            );
          })}
        </ul>
      ) : (
        <Empty>{t("ext.none")}</Empty>
      )}
    </Card>
  );
}

interface Permit {
  id: string;
  kind: string;
  from: string;
  to: string;
  reason: string;
  approved_by: string;
}

/** Hot-work permits that were given without this form: nobody has ticked what must stand before it. */
function Unchecked() {
  const kept = useStore(live, (l) => l.kept);
  const today = useStore(live, (l) => l.day?.date ?? dateOf(hallNow()));
  const { data } = useFetched(async () => {
    const [permits, entries] = await Promise.all([
      list<Permit>(`/permits?from=${addDays(today, -30)}`),
      list<Entry>("/registers/hot-work", 1000),
    ]);
    const ticked = new Set(entries.map((e) => e.item));
    return permits.filter((p) => p.kind === "hot-work" && !ticked.has(p.id));
  }, [kept, today]);
  if (!data?.length) return null;
  return (
    <Card title={t("hot.unchecked")}>
      <ul class="ledger-rows">
        {data.map((p) => (
          <li key={p.id}>
            <span class="due over">
              <Sign of="warning" label={false} />
              <span class="num">
                {when(p.from, hallNow())} – {when(p.to, hallNow())}
              </span>
            </span>
            <span class="what">
              <Raw>{p.reason}</Raw>
              <span class="second">
                {t("hot.givenBy")} <Raw>{p.approved_by}</Raw>
              </span>
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Log({ book }: { book: Book }) {
  const me = useStore(person, (p) => p);
  const { items, more, fault, reload } = usePages<Entry>(`/registers/${book}`);
  const write: Doing = {
    id: "write",
    label: t(`book.new.${book}`),
    path: `/registers/${book}`,
    body: (f) => written(f, book),
    fields: book === "hot-work" ? <HotWork /> : <div class="field-grid">{fields(book)}</div>,
  };
  return (
    <Card title={t(`book.log.${book}`)} aside={items && <span class="second">n {more ? `> ${items.length}` : items.length}</span>}>
      {may(me, book === "hot-work" ? "approve" : "write") && <Acts of={[write]} changed={reload} />}
      {!items ? (
        fault ? (
          <Failed fault={fault} retry={reload} />
        ) : (
          <Loading rows={4} />
        )
      ) : items.length ? (
        <ul class="ledger-rows">
          {items.map((entry) => (
            <Line key={entry.id} entry={entry} reload={reload} />
          ))}
        </ul>
      ) : (
        <Empty>{t("book.none")}</Empty>
      )}
      <More more={more} />
    </Card>
  );
}

function Line({ entry, reload }: { entry: Entry; reload: () => void }) {
  const me = useStore(person, (p) => p);
  const zones = useStore(live, (l) => l.site?.zones ?? []);
  const { struck } = entry;
  const shown = (key: string, value: unknown) => {
    if (key === "zone") return zones.find((z) => z.id === value)?.name ?? String(value);
    const instantly = typeof value === "string" && /^\d{4}-\d\d-\d\dT/.test(value);
    if ((key === "from" || key === "to") && instantly) {
      const zoned = /(Z|[+-]\d\d:\d\d)$/.test(value); // else it stands in the hall's own time
      return zoned ? stamp(value).slice(0, 16) : value.slice(0, 16).replace("T", " ");
    }
    return String(value);
  };
  const strike: Doing = {
    id: "strike",
    label: t("did.strike"),
    path: `/registers/entries/${encodeURIComponent(entry.id)}/strike`,
    body: (f) => ({ note: said(f, "note") }),
    fields: <Text name="note" label={t("field.why")} />,
  };
  return (
    <li class={struck ? "entry struck" : "entry"}>
      <span class="second num">{when(entry.at, hallNow())}</span>
      <span class="what">
        <span class="entry-data">
          {Object.entries(entry.data).map(([key, value]) => (
            <span key={key}>
              <span class="second">{word(key === "to" && entry.book === "hot-work" ? "common" : "col", key)} </span>
              {value === true ? (
                t("yes")
              ) : key === "direction" || key === "way" || key === "service" ? (
                word(key, String(value))
              ) : (
                <Raw>{shown(key, value)}</Raw>
              )}
            </span>
          ))}
        </span>
        <span class="second">
          {t("book.by")} <Raw>{entry.who}</Raw>
        </span>
        {struck && (
          <span class="struck-why">
            {t("book.struck", { at: when(struck.at, hallNow()) })} <Raw>{struck.who}</Raw>
            {t("common.colon")}
            <Raw>{struck.why}</Raw>
          </span>
        )}
      </span>
      {!struck && may(me, "strike") && <Acts of={[strike]} changed={reload} />}
    </li>
  );
}

function fields(book: Book) {
  const today = dateOf(hallNow());
  const pick = (name: string, of: string[]) => (
    <Choice name={name} label={word("col", name)} of={of.map((code) => [code, word(name, code)])} />
  );
  switch (book) {
    case "extinguisher":
      return (
        <>
          <Text name="number" label={t("col.number")} most={64} />
          <Text name="place" label={t("col.place")} />
          <Text name="kind" label={t("col.kind")} />
          <DayField name="next_check" label={t("col.next_check")} value={addDays(today, 365)} />
          <Text name="note" label={t("field.note")} optional />
          <label class="tick">
            <input type="checkbox" name="removed" />
            {t("ext.removed")}
          </label>
        </>
      );
    case "courier":
      return (
        <>
          {pick("direction", ["out", "in"])}
          <Text name="document" label={t("col.document")} />
          <Text name="to" label={t("col.to")} />
          <Text name="tracking" label={t("col.tracking")} optional />
          <Text name="note" label={t("field.note")} optional />
        </>
      );
    case "notice":
      return (
        <>
          <Text name="matter" label={t("col.matter")} />
          <Text name="missing" label={t("col.missing")} />
          {pick("way", ["written", "oral", "phone"])}
          <Text name="note" label={t("field.note")} optional />
        </>
      );
    default:
      return (
        <>
          <Text name="matter" label={t("col.matter")} />
          {pick("service", ["accompanied", "on-behalf"])}
          <Text name="result" label={t("col.result")} />
          <Text name="note" label={t("field.note")} optional />
        </>
      );
  }
}

/** Both ticks stand before any work begins; higher than 2 m somebody watches below. */
function HotWork() {
  const zones = useStore(live, (l) => l.site?.zones ?? []);
  const [height, setHeight] = useState("0");
  const now = useMemo(hallNow, []);
  const high = Number(height) > WATCHED_M;
  return (
    <>
      <div class="field-grid">
        <Text name="place" label={t("col.place")} />
        <label>
          {t("duty.zone")}
          <select name="zone" required translate={false}>
            {zones.map((z) => (
              <option key={z.id} value={z.id}>
                {z.name}
              </option>
            ))}
          </select>
        </label>
        <DateField name="from-day" label={t("duty.fromDay")} required value={dateOf(now)} />
        <TimeField name="from-time" label={t("duty.fromTime")} value={hm(now)} />
        <DateField name="to-day" label={t("duty.toDay")} required value={dateOf(now)} />
        <TimeField name="to-time" label={t("duty.toTime")} />
        <Text name="work" label={t("col.work")} />
        <Text name="applicant" label={t("col.applicant")} most={64} />
        <Text name="supervisor" label={t("col.supervisor")} />
        <label>
          {t("col.height_m")}
          <input
            type="number"
            name="height_m"
            required
            min={0}
            max={500}
            step="0.1"
            value={height}
            onInput={(e) => setHeight(e.currentTarget.value)}
          />
        </label>
        <Text name="watcher" label={t("col.watcher")} optional={!high} />
        <Text name="note" label={t("field.note")} optional />
      </div>
      {high && <p class="second">{t("hot.high")}</p>}
      <label class="tick">
        <input type="checkbox" name="cleared_5m" required />
        {t("hot.cleared")}
      </label>
      <label class="tick">
        <input type="checkbox" name="extinguishers" required />
        {t("hot.extinguishers")}
      </label>
    </>
  );
}

const TICKS = new Set(["removed", "cleared_5m", "extinguishers"]);

function written(form: FormData, book: Book): Record<string, unknown> {
  const made: Record<string, unknown> = {};
  for (const [name, value] of form.entries()) {
    if (typeof value !== "string" || !value.trim()) continue;
    made[name] = TICKS.has(name) ? true : name === "height_m" ? Number(value) : value.trim();
  }
  if (book !== "hot-work") return made;
  const { "from-day": fromDay, "from-time": fromTime, "to-day": toDay, "to-time": toTime, ...rest } = made;
  return { ...rest, from: instant(`${String(fromDay)}T${String(fromTime)}`), to: instant(`${String(toDay)}T${String(toTime)}`) };
}
