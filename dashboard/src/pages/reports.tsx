import { useState } from "preact/hooks";
import { get } from "../api";
import { t, useLang } from "../i18n";
import { live } from "../live/stream";
import { useStore } from "../store";
import type { Sheet, SheetKind, SheetPeriod } from "../types";
import { Card, Failed, Loading, Raw } from "../ui/card";
import { useFetched } from "../ui/fetch";
import { Episodes } from "./reports/episodes";
import { Fields } from "./reports/fields";
import { usePaper } from "./reports/paper";
import { Table } from "./reports/table";

const HAND: SheetKind[] = ["stars", "hygiene", "zeros"];

/** 报表: a sheet of a week, month or quarter; what is to be confirmed and filled in; download, print. */
export function Reports() {
  const language = useLang();
  const { data: periods, fault, reload } = useFetched(
    async () => (await get<{ items: SheetPeriod[] }>("/sheets")).items,
    [],
  );
  const [kind, setKind] = useState<SheetKind>("ratings-month");
  const [period, setPeriod] = useState("");
  const kinds = [...new Set(periods?.map((p) => p.kind))];
  const mine = periods?.filter((p) => p.kind === kind) ?? [];
  const chosen = mine.find((p) => p.period === period) ?? mine[1] ?? mine[0];
  if (!periods) {
    return (
      <Card title={t("reports.sheet")}>{fault ? <Failed fault={fault} retry={reload} /> : <Loading rows={6} />}</Card>
    );
  }
  return (
    <div class="stack">
      <div class="page-head no-print">
        <p class="page-title" aria-hidden="true">
          {t("nav.reports")}
        </p>
        <div class="report-choice">
          <label>
            {t("reports.sheet")}
            <select value={kind} onChange={(e) => setKind(e.currentTarget.value as SheetKind)}>
              {kinds.map((name) => (
                <option key={name} value={name}>
                  {periods.find((p) => p.kind === name)?.title[language]}
                </option>
              ))}
            </select>
          </label>
          <label>
            {t("reports.period")}
            <select value={chosen?.period} translate={false} onChange={(e) => setPeriod(e.currentTarget.value)}>
              {mine.map((p) => (
                <option key={p.period} value={p.period}>
                  {p.period}
                </option>
              ))}
            </select>
          </label>
        </div>
      </div>
      {chosen && <Whole key={`${kind} ${chosen.period}`} kind={kind} period={chosen.period} />}
    </div>
  );
}

/** What the sheet was counted by; the rulebook's own figures are told from proposed ones. */
function Settings({ rows }: { rows: Sheet["settings"] }) {
  const language = useLang();
  return (
    <section class="report-section">
      <h3>{t("reports.settings")}</h3>
      <dl class="report-settings">
        {rows.map((row) => (
          <div key={row.key}>
            <dt>{row.title[language]}</dt>
            <dd class="num">
              <Raw>{String(row.value)}</Raw> <span class="second">{t(row.law ? "is.law" : "is.proposed")}</span>
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Whole({ kind, period }: { kind: SheetKind; period: string }) {
  const language = useLang();
  const hall = useStore(live, (l) => l.site?.name ?? "");
  const path = `/sheets/${kind}`;
  const { data, fault, reload } = useFetched(() => get<Sheet>(`${path}?period=${period}`), [kind, period]);
  usePaper([hall, data?.title[language], data?.period].filter(Boolean).join(" · "));
  const tools = (
    <div class="actions no-print">
      <a class="button" href={`/api/v1${path}/file?period=${period}`} download>
        {t("reports.download")}
      </a>
      <button type="button" class="button" onClick={() => print()}>
        {t("reports.print")}
      </button>
    </div>
  );
  return (
    <>
      {kind === "hygiene" && <Episodes period={period} changed={reload} />}
      {HAND.includes(kind) && data && <Fields sheet={data} changed={reload} />}
      {fault && !data ? (
        <Card title={t("reports.sheet")}>
          <Failed fault={fault} retry={reload} />
        </Card>
      ) : !data ? (
        <Card title={t("reports.sheet")}>
          <Loading rows={8} />
        </Card>
      ) : (
        <Card title={`${data.title[language]} ${data.period}`} aside={tools} class="report">
          <p class="print-only">
            <Raw>{hall}</Raw>
          </p>
          <p class="second">
            <Raw>{`${data.first} – ${data.last}`}</Raw>
            {data.due && ` · ${t("reports.due", { day: data.due })}`}
            {data.provisional && ` · ${t("day.provisional")}`}
          </p>
          {data.sections.map((section) => (
            <Table key={section.key} section={section} />
          ))}
          {data.settings.length > 0 && <Settings rows={data.settings} />}
          <section class="report-section">
            <h3>{t("reports.notes")}</h3>
            <ul class="report-notes">
              {[...data.notes, ...data.sources].map((note) => (
                <li key={note.zh}>{note[language]}</li>
              ))}
            </ul>
          </section>
        </Card>
      )}
    </>
  );
}
