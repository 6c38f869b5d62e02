import { get } from "../../api";
import { score } from "../../format";
import { t } from "../../i18n";
import { live } from "../../live/stream";
import { useStore } from "../../store";
import type { HourRow } from "../../types";
import { Card, Empty, Failed, Loading, Raw } from "../../ui/card";
import { useFetched } from "../../ui/fetch";

/** Counters by hour of the day: mean in the field, n under it; below five in outline, mean hidden. */
export function Heat({ first, last, pressed }: { first: string; last: string; pressed: number }) {
  const { data, fault, reload } = useFetched(
    async () => (await get<{ items: HourRow[] }>(`/ratings/hours?from=${first}&to=${last}&steps=true`)).items,
    [first, last, pressed],
  );
  return (
    <Card title={t("ratings.heat")} aside={<span class="second">{t("ratings.heatKey")}</span>}>
      {fault && !data ? (
        <Failed fault={fault} retry={reload} />
      ) : !data ? (
        <Loading rows={5} />
      ) : data.length ? (
        <Grid rows={data} />
      ) : (
        <Empty>{t("ratings.none")}</Empty>
      )}
    </Card>
  );
}

function Grid({ rows }: { rows: HourRow[] }) {
  const counters = useStore(live, (l) => l.site?.counters ?? []);
  const all = rows.map((r) => r.hour);
  const [from, to] = [Math.min(...all), Math.max(...all)];
  const hours = Array.from({ length: to - from + 1 }, (_, i) => from + i);
  const shown = counters.filter((c) => rows.some((r) => r.counter === c.id));
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label={t("ratings.heatTable")}>
      <table class="heat-table">
        <thead>
          <tr>
            <th scope="col">{t("ratings.counter")}</th>
            {hours.map((hour) => (
              <th key={hour} scope="col" class="num">
                {t("ratings.hour", { hour })}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((counter) => (
            <tr key={counter.id}>
              <th scope="row">
                <Raw>{counter.name}</Raw>
              </th>
              {hours.map((hour) => (
                <Cell key={hour} row={rows.find((r) => r.counter === counter.id && r.hour === hour)} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** −5…10 as a tint: the paler, the lower; low means are also said in words. */
function Cell({ row }: { row: HourRow | undefined }) {
  if (!row?.n) return <td class="heat-cell none">—</td>;
  if (row.mean === null) {
    return (
      <td class="heat-cell few-cell" title={t("rate.few")}>
        <span aria-hidden="true">·</span>
        <span class="sr">{t("rate.few")}</span>
        <small>n {row.n}</small>
      </td>
    );
  }
  const share = Math.round((30 * (row.mean + 5)) / 15);
  return (
    <td
      class={row.mean < 6 ? "heat-cell low" : "heat-cell"}
      style={{ background: `color-mix(in srgb, var(--accent) ${share}%, var(--card))` }}
    >
      <b>{score(row.mean)}</b>
      {row.mean < 6 && <span class="sr">{t("ratings.low")}</span>}
      <small>n {row.n}</small>
    </td>
  );
}
