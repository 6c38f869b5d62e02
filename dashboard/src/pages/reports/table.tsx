import { score } from "../../format";
import { t, useLang } from "../../i18n";
import type { SheetColumn, SheetSection, Words } from "../../types";
import { Empty, Raw } from "../../ui/card";

/** More columns than this are printed in smaller type. */
const WIDE = 16;

type Value = string | number | Words | null;

/** One table of a sheet; what is hidden, open or not known is a dash, never a zero. */
export function Table({ section }: { section: SheetSection }) {
  const language = useLang();
  const title = section.title[language];
  return (
    <section class="report-section">
      <h3>{title}</h3>
      {section.rows.length ? (
        <div class="table-scroll" tabIndex={0} role="region" aria-label={title}>
          <table class={section.columns.length > WIDE ? "report-table many" : "report-table"}>
            <thead>
              <tr>
                {section.columns.map((column, at) => (
                  <th key={column.key} scope="col" class={at === 0 || column.kind === "text" ? "" : "num"}>
                    {column.title[language]}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {section.rows.map((row, index) => (
                <tr key={index}>
                  {section.columns.map((column, at) =>
                    at === 0 ? (
                      <th key={column.key} scope="row">
                        <Cell column={column} value={row[at] ?? null} />
                      </th>
                    ) : (
                      <td key={column.key} class={column.kind === "text" ? "" : "num"}>
                        <Cell column={column} value={row[at] ?? null} />
                      </td>
                    ),
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <Empty>{t("reports.noRows")}</Empty>
      )}
    </section>
  );
}

function Cell({ column, value }: { column: SheetColumn; value: Value }) {
  const language = useLang();
  if (value === null) return <>—</>;
  if (typeof value === "object") return <>{value[language]}</>;
  if (typeof value === "string") return <Raw>{value}</Raw>;
  if (column.kind === "score") return <>{score(value)}</>;
  if (column.kind === "share") return <>{`${(100 * value).toFixed(1)}%`}</>;
  return <>{value}</>;
}
