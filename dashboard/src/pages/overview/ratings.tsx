import { get } from "../../api";
import { score } from "../../format";
import { t, word } from "../../i18n";
import { live } from "../../live/stream";
import { href } from "../../route";
import { useStore } from "../../store";
import type { RatingRow } from "../../types";
import { Card, Empty, Failed, Loading } from "../../ui/card";
import { useFetched } from "../../ui/fetch";
import { LevelBar, pool } from "../../ui/levels";

/** Today's ratings of the hall, in steps of five a counter: nobody sees who has just rated. */
export function RatingsCard() {
  const date = useStore(live, (l) => l.day?.date);
  const counts = useStore(live, (l) => l.counts);
  const pressed = useStore(live, (l) => l.pressed);
  const { data, fault, reload } = useFetched(async () => {
    if (!date) return null;
    return (await get<{ items: RatingRow[] }>(`/ratings/summary?from=${date}&to=${date}&by=counter&steps=true`)).items;
  }, [date, pressed]);
  const aside = <a href={href("ratings")}>{t("nav.ratings")}</a>;
  return (
    <Card title={t("rate.title")} class="ratings-card" aside={aside}>
      {fault && !data ? <Failed fault={fault} retry={reload} /> : !data ? <Loading /> : <Body rows={data} counts={counts} />}
    </Card>
  );
}

function Body({ rows, counts }: { rows: RatingRow[]; counts: Record<string, number> }) {
  const n = rows.reduce((sum, row) => sum + Math.max(row.n, counts[row.counter ?? ""] ?? 0), 0) + extra(rows, counts);
  const { levels, mean } = pool(rows);
  if (n === 0) return <Empty>{t("rate.none")}</Empty>;
  return (
    <div class="rate">
      <p class="rate-n">
        <b class="big" data-testid="rating-n">
          {n}
        </b>{" "}
        {t("rate.count")}
        {mean !== null && <span class="rate-mean">{t("rate.mean", { mean: score(mean) })}</span>}
      </p>
      {levels ? (
        <>
          <LevelBar levels={levels} />
          <dl class="rate-levels">
            {[5, 4, 3, 2, 1].map((level) => (
              <div key={level}>
                <dt>
                  <i class={`swatch level-${level}`} aria-hidden="true" />
                  {word("level", String(level))}
                </dt>
                <dd>{levels[level] ?? 0}</dd>
              </div>
            ))}
          </dl>
          <p class="faint">{t("rate.step")}</p>
        </>
      ) : (
        <p class="second">{t("rate.fewEach")}</p>
      )}
    </div>
  );
}

/** Presses told of counters that the summary does not list yet. */
function extra(rows: RatingRow[], counts: Record<string, number>): number {
  const listed = new Set(rows.map((r) => r.counter));
  return Object.entries(counts).reduce((sum, [id, n]) => (listed.has(id) ? sum : sum + n), 0);
}
