import { list } from "../../api";
import { t, word } from "../../i18n";
import { live } from "../../live/stream";
import { caseHref, href } from "../../route";
import { useStore } from "../../store";
import type { CaseRow } from "../../types";
import { Card, Empty, Failed, Loading, Raw } from "../../ui/card";
import { useFetched } from "../../ui/fetch";

const SHOWN = 20;
const MOST = 200;

/** The bad ratings that are still open, with the day by which each is to be settled, due first. */
export function Cases() {
  const counters = useStore(live, (l) => l.site?.counters ?? []);
  const { data, fault, reload } = useFetched(
    () => list<CaseRow>("/cases?kind=bad-rating&active=true&sort=due", MOST),
    [],
  );
  return (
    <Card title={t("ratings.cases")} aside={data && <span class="second">n {data.length}{data.length >= MOST && "+"}</span>}>
      {fault && !data ? (
        <Failed fault={fault} retry={reload} />
      ) : !data ? (
        <Loading />
      ) : data.length ? (
        <>
          <ul class="case-rows">
            {data.slice(0, SHOWN).map((row) => (
              <li key={row.id} class={row.late ? "late" : ""}>
                <a href={caseHref(row.id)}>
                  <Raw>{counters.find((c) => c.id === row.counter)?.name ?? row.counter ?? "—"}</Raw>
                </a>
                <span class="second">{row.rating?.level ? word("level", String(row.rating.level)) : ""}</span>
                <span class="second num">{row.received.slice(0, 10)}</span>
                <span class="num">
                  {row.due
                    ? t(row.late ? "ratings.caseLate" : "ratings.caseDue", { day: row.due.day })
                    : t("ratings.caseOpen")}
                  {row.due?.provisional && ` · ${t("day.provisional")}`}
                </span>
              </li>
            ))}
          </ul>
          {data.length > SHOWN && (
            <a class="card-more" href={href("ledger", "cases")}>
              {t("ratings.allCases")}
            </a>
          )}
        </>
      ) : (
        <Empty>{t("ratings.noCases")}</Empty>
      )}
    </Card>
  );
}
