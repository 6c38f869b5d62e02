import { useMemo, useState } from "preact/hooks";
import { hallNow } from "../clock";
import { addDays, DAY, dateOf, kwh, midnight, power, weekday, weekdayName, yuan } from "../format";
import { t, useLang, word } from "../i18n";
import { live } from "../live/stream";
import { useStore } from "../store";
import type { EnergyRow, Site } from "../types";
import { Card, Empty, Failed, Loading, Raw } from "../ui/card";
import { Chart, type Line } from "../ui/chart";
import { useFetched } from "../ui/fetch";
import { preset, RangePicker, type Range } from "../ui/range";
import { csv, energy, month, monthEnd, plot, ranking, save, total } from "./energy/data";

/** 能耗: today against the same weekday, by use, ranking, the month; one range for the whole page. */
export function Energy() {
  const [range, setRange] = useState(() => preset("today"));
  const site = useStore(live, (l) => l.site);
  return (
    <div class="stack">
      <div class="page-head">
        <p class="page-title" aria-hidden="true">
          {t("nav.energy")}
        </p>
        <RangePicker value={range} choices={["today", "7d", "30d"]} set={setRange} />
      </div>
      {site ? (
        <>
          <Total site={site} range={range} />
          <div class="pair">
            <ByUse range={range} />
            <Ranking site={site} range={range} />
          </div>
          <Month range={range} />
        </>
      ) : (
        <Card title={t("energy.total")}>
          <Loading rows={6} />
        </Card>
      )}
    </div>
  );
}

function Total({ site, range }: { site: Site; range: Range }) {
  const language = useLang();
  const { data, fault, reload } = useFetched(async () => {
    const until = Math.min(range.to, hallNow());
    const [now, before, waste, drawn] = await Promise.all([
      energy("use", range.from, until),
      energy("use", range.from - 7 * DAY, until - 7 * DAY),
      energy("waste", range.from, until),
      plot(site, range),
    ]);
    return { now: total(now), before: total(before), waste: total(waste), drawn };
  }, [site, range]);
  const day = weekdayName(dateOf(range.from));
  const one = range.to - range.from <= DAY;
  const lines = useMemo((): Line[] => {
    if (!data) return [];
    const label = one ? t("power.before", { day }) : t("energy.weekBefore");
    const before: Line = { label, values: data.drawn.before, color: "--faint", width: 1, dash: [4, 4] };
    const now: Line = { label: t("energy.power"), values: data.drawn.now, color: "--accent", fill: true };
    return data.drawn.before.some((v) => v !== null) ? [before, now] : [now];
  }, [data, language]);
  const export_ = data && (
    <button
      type="button"
      class="button"
      onClick={() => save(`${site.id}-${dateOf(range.from)}.csv`, csv(data.drawn))}
    >
      {t("energy.csv")}
    </button>
  );
  if (fault && !data) {
    return (
      <Card title={t("energy.total")}>
        <Failed fault={fault} retry={reload} />
      </Card>
    );
  }
  const share = data?.now && data.before ? Math.round((100 * (data.now - data.before)) / data.before) : null;
  return (
    <Card title={t("energy.total")} aside={export_}>
      {!data ? (
        <Loading rows={6} />
      ) : (
        <>
          <div class="fact-grid">
            <p class="fact">
              <span class="huge">{kwh(data.now)} kWh</span>
              <span class="second">{t(one ? "energy.sofar" : "energy.range")}</span>
            </p>
            <p class="fact">
              <span class="huge">{kwh(data.before)} kWh</span>
              <span class="second">
                {one ? t("power.before", { day }) : t("energy.weekBefore")}
                {share !== null && ` · ${share > 0 ? "+" : share < 0 ? "−" : "±"}${Math.abs(share)}%`}
              </span>
            </p>
            {data.waste !== null && (
              <p class="fact">
                <span class="huge">{kwh(data.waste)} kWh</span>
                <span class="second">
                  {t("energy.waste")}
                  {site.tariff && ` · ${yuan(data.waste * site.tariff)}`}
                </span>
              </p>
            )}
          </div>
          {data.drawn.now.some((v) => v !== null) ? (
            <Chart times={data.drawn.times} lines={lines} height={220} alt={t("energy.alt")} format={power} />
          ) : (
            <Empty>{t("power.empty")}</Empty>
          )}
        </>
      )}
    </Card>
  );
}

function Bars({ rows }: { rows: { id: string; name: string; kwh: number }[] }) {
  if (!rows.length) return <Empty>{t("energy.none")}</Empty>;
  const most = Math.max(...rows.map((r) => r.kwh), 0.001);
  return (
    <ul class="bars">
      {rows.map((r) => (
        <li key={r.id}>
          <Raw class="name">{r.name}</Raw>
          <span class="track-h" aria-hidden="true">
            <i style={{ width: `${(100 * r.kwh) / most}%` }} />
          </span>
          <span class="num">{kwh(r.kwh)} kWh</span>
        </li>
      ))}
    </ul>
  );
}

function ByUse({ range }: { range: Range }) {
  const { data, fault, reload } = useFetched(
    async () => ({ uses: await energy("use", range.from, Math.min(range.to, hallNow())) }),
    [range],
  );
  const rows = ["lighting", "ac", "counter", "protected"].flatMap((use) => {
    const found = data?.uses?.find((r) => r.use === use);
    return found?.kwh === null || found?.kwh === undefined ? [] : [{ id: use, name: word("use", use), kwh: found.kwh }];
  });
  return (
    <Card title={t("energy.byUse")}>
      {fault && !data ? (
        <Failed fault={fault} retry={reload} />
      ) : !data ? (
        <Loading rows={4} />
      ) : (
        <Bars rows={rows} />
      )}
    </Card>
  );
}

function Ranking({ site, range }: { site: Site; range: Range }) {
  const { data, fault, reload } = useFetched(
    () => ranking(site, { ...range, to: Math.min(range.to, hallNow()) }),
    [site, range],
  );
  return (
    <Card title={t("energy.ranking")}>
      {fault && !data ? (
        <Failed fault={fault} retry={reload} />
      ) : !data ? (
        <Loading rows={4} />
      ) : (
        <Bars rows={data.slice(0, 10)} />
      )}
    </Card>
  );
}

function Month({ range }: { range: Range }) {
  const last = monthEnd(range);
  const first = midnight(`${last.slice(0, 7)}-01`);
  const { data, fault, reload } = useFetched(
    async () => ({ days: (await energy("day", first, midnight(addDays(last, 1)))) ?? [] }),
    [last],
  );
  return (
    <Card title={t("energy.month", { month: last.slice(0, 7) })}>
      {fault && !data ? (
        <Failed fault={fault} retry={reload} />
      ) : !data ? (
        <Loading rows={5} />
      ) : (
        <Heat rows={data.days} last={last} />
      )}
    </Card>
  );
}

function Heat({ rows, last }: { rows: EnergyRow[]; last: string }) {
  const days = month(rows, last);
  const most = Math.max(...days.map((d) => d.kwh ?? 0), 0.001);
  const blank = (weekday(days[0]?.day ?? last) + 6) % 7;
  return (
    <div class="heat">
      {([1, 2, 3, 4, 5, 6, 0] as const).map((d) => (
        <span key={d} class="head">
          {t(`weekday.short.${d}`)}
        </span>
      ))}
      {Array.from({ length: blank }, (_, i) => (
        <span key={`b${i}`} />
      ))}
      {days.map(({ day, kwh: value }) => {
        const share = value === null ? 0 : Math.round((60 * value) / most);
        const style = value === null ? {} : { background: `color-mix(in srgb, var(--accent) ${share / 2}%, var(--card))` };
        return (
          <span key={day} class={value === null ? "none" : ""} style={style}>
            {Number(day.slice(8))}
            <b>{value === null ? "—" : kwh(value)}</b>
          </span>
        );
      })}
    </div>
  );
}
