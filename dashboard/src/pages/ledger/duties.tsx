import { useState } from "preact/hooks";
import { get, list, person, query } from "../../api";
import { hallNow } from "../../clock";
import { addDays, dateOf, hm, weekdayName, when } from "../../format";
import { t, useLang, word } from "../../i18n";
import { citeAll } from "../../live/names";
import { live } from "../../live/stream";
import { useStore } from "../../store";
import { Card, Empty, Failed, Loading, Raw } from "../../ui/card";
import { useFetched } from "../../ui/fetch";
import { Sign } from "../../ui/sign";
import { may } from "./may";
import { Acts, DayField, MonthPicker, said, Text, type Doing } from "./parts";
import type { DutyItem, DutyRow } from "./types";

const GROUPS = ["missed", "due", "coming", "done"] as const;
type Group = (typeof GROUPS)[number];
const groupOf = (item: DutyItem): Group | null =>
  item.state === "before" ? null : item.state === "late" ? "done" : item.state;

/** What is owed from before this month is still shown for so long. */
const OWED_DAYS = 62;

const lastOf = (month: string): string => addDays(addDays(`${month}-28`, 4).slice(0, 8) + "01", -1);

/** What falls due in a month: what is overdue first, then today's, what comes, what is done. */
export function Duties() {
  const kept = useStore(live, (l) => l.kept);
  const today = useStore(live, (l) => l.day?.date ?? dateOf(hallNow()));
  const [month, setMonth] = useState(today.slice(0, 7));
  const { data, fault, reload } = useFetched(
    async () => {
      const first = `${month}-01`;
      const from = today.startsWith(month) ? addDays(first, -OWED_DAYS) : first;
      const all = await list<DutyItem>(`/duties${query({ from, to: lastOf(month) })}`);
      return { month, items: all.filter((item) => item.day >= first || item.state === "missed") };
    },
    [month, kept, today],
  );
  const items = data?.month === month ? data.items : null;
  return (
    <>
      <div class="ledger-tools">
        <MonthPicker month={month} set={setMonth} />
      </div>
      {!items ? (
        <Card title={t("ledger.duties")}>{fault ? <Failed fault={fault} retry={reload} /> : <Loading rows={5} />}</Card>
      ) : (
        GROUPS.map((group) => {
          const mine = items.filter((item) => groupOf(item) === group);
          if (!mine.length && group !== "due") return null;
          const title = t(group === "due" && month !== today.slice(0, 7) ? "duties.dueThen" : `duties.${group}`);
          return (
            <Card key={group} title={title} aside={<span class="second">n {mine.length}</span>}>
              {mine.length ? (
                <Items of={order(mine, group)} reload={reload} />
              ) : (
                <Empty>{t("duties.none")}</Empty>
              )}
            </Card>
          );
        })
      )}
      <Table />
    </>
  );
}

/** What comes: each duty's next item first, the others behind them; what is owed: its last one. */
function order(all: DutyItem[], group: Group): DutyItem[] {
  const items = group === "done" || group === "missed" ? [...all].reverse() : all;
  if (group !== "coming" && group !== "missed") return items;
  const next = items.filter((item, i) => items.findIndex((other) => other.duty === item.duty) === i);
  return [...next, ...items.filter((item) => !next.includes(item))];
}

const SHOWN = 10;

function Items({ of, reload }: { of: DutyItem[]; reload: () => void }) {
  const [all, setAll] = useState(false);
  const few = of[0]?.state === "coming" ? new Set(of.map((item) => item.duty)).size : SHOWN;
  return (
    <>
      <ul class="ledger-rows">
        {(all ? of : of.slice(0, few)).map((item) => (
          <Row key={item.id} item={item} reload={reload} />
        ))}
      </ul>
      {!all && of.length > few && (
        <button type="button" class="button wide-button" onClick={() => setAll(true)}>
          {t("ledger.rest", { n: of.length - few })}
        </button>
      )}
    </>
  );
}

function Row({ item, reload }: { item: DutyItem; reload: () => void }) {
  const language = useLang();
  const me = useStore(person, (p) => p);
  const path = `/duties/${encodeURIComponent(item.id)}`;
  const doing: Doing[] = [];
  if (!item.record && may(me, "record")) {
    doing.push({
      id: "done",
      label: t("duties.do"),
      primary: item.state === "due" || item.state === "missed",
      path: `${path}/done`,
      body: (f) => ({
        evidence: Object.fromEntries(item.evidence.map((name) => [name, said(f, name)])),
        note: said(f, "note"),
      }),
      fields: (
        <div class="field-grid">
          {item.evidence.map((name) => (
            <Text key={name} name={name} label={word("evidence", name)} />
          ))}
          <Text name="note" label={t("field.note")} optional />
        </div>
      ),
    });
  }
  if (!item.record && may(me, "move")) {
    doing.push({
      id: "move",
      label: t("duties.move"),
      path: `${path}/move`,
      body: (f) => ({ to: f.get("to"), note: said(f, "note") }),
      fields: (
        <div class="field-grid">
          <DayField name="to" label={t("duties.to")} value={item.day} />
          <Text name="note" label={t("field.why")} />
        </div>
      ),
    });
  }
  if (item.record && may(me, "strike")) {
    doing.push({
      id: "strike",
      label: t("did.strike"),
      path: `/registers/entries/${encodeURIComponent(item.record.id)}/strike`,
      body: (f) => ({ note: said(f, "note") }),
      fields: <Text name="note" label={t("field.why")} />,
    });
  }
  return (
    <li class="duty-row" data-id={item.id}>
      <span class={item.state === "missed" ? "due over" : "due"}>
        {item.state === "missed" && <Sign of="warning" label={false} />}
        {item.state === "late" && <Sign of="notice" label={false} />}
        <span class="num">
          {item.day.slice(5)} {weekdayName(item.day)} {hm(item.at)}
        </span>
        {item.provisional && <span class="tag proposed">{t("day.provisional")}</span>}
      </span>
      <span class="what">
        <span>{item.name[language]}</span>
        <span class="second">
          {citeAll(item.cites)}
          {item.falls !== item.day && ` · ${t("duties.moved", { day: item.falls })}`}
        </span>
        {item.record && (
          <span class="second">
            {t(item.state === "late" ? "duties.lateBy" : "duties.doneBy", { at: when(item.record.at, hallNow()) })}{" "}
            <Raw>{item.record.who}</Raw>
            <Evidence of={item.record.data} />
          </span>
        )}
      </span>
      <Acts of={doing} changed={reload} />
    </li>
  );
}

function Evidence({ of }: { of: Record<string, unknown> }) {
  const said = Object.entries((of.evidence ?? {}) as Record<string, unknown>).filter(([, v]) => v !== null && v !== "");
  return (
    <>
      {said.map(([name, value]) => (
        <span key={name}>
          {" · "}
          {word("evidence", name)} <Raw>{String(value)}</Raw>
        </span>
      ))}
      {typeof of.note === "string" && (
        <>
          {" · "}
          <Raw>{of.note}</Raw>
        </>
      )}
    </>
  );
}

function every(row: DutyRow): string {
  switch (row.every) {
    case "months":
      return row.months === 12 ? t("every.year") : t("every.months", { n: row.months ?? 0 });
    case "day":
      return t("every.day", { n: row.day ?? 0 });
    case "dates":
      return t("every.dates", { days: (row.dates ?? []).join(t("common.list")) });
    case "quarter":
      return t("every.quarter", { n: row.workday ?? 0 });
    case "mondays":
      return t("every.mondays", { n: (row.mondays ?? []).join(t("common.list")), at: row.at ?? "" });
    default:
      return word("every", row.every);
  }
}

/** The table of recurring duties: how each comes, when it was done last, when it falls due next. */
function Table() {
  const language = useLang();
  const kept = useStore(live, (l) => l.kept);
  const { data, fault, reload } = useFetched(() => get<{ items: DutyRow[] }>("/duties/table"), [kept]);
  return (
    <Card title={t("duties.table")}>
      {!data ? (
        fault ? (
          <Failed fault={fault} retry={reload} />
        ) : (
          <Loading rows={4} />
        )
      ) : (
        <div class="table-scroll" tabIndex={0} role="region" aria-label={t("ledger.table", { what: t("duties.table") })}>
          <table class="ledger-table">
            <thead>
              <tr>
                {(["what", "how", "rule", "last", "next"] as const).map((name) => (
                  <th key={name} scope="col">
                    {t(`duties.col.${name}`)}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {data.items.map((row) => (
                <tr key={row.id}>
                  <th scope="row">{row.name[language]}</th>
                  <td>{every(row)}</td>
                  <td>{citeAll(row.cites)}</td>
                  <td class="nowrap">
                    {row.last ? (
                      <>
                        {dateOf(row.last.at)} <Raw>{row.last.who}</Raw>
                      </>
                    ) : (
                      "—"
                    )}
                  </td>
                  <td class="nowrap">{row.next?.day ?? "—"}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Card>
  );
}
