import { useMemo } from "preact/hooks";
import { hallNow, useNow } from "../../clock";
import { DAY, dateOf, MINUTE, power, weekdayName } from "../../format";
import { t, useLang } from "../../i18n";
import { series, sum } from "../../live/history";
import { totalPower } from "../../live/read";
import { live } from "../../live/stream";
import { useStore } from "../../store";
import type { Site } from "../../types";
import { Card, Empty, Failed, Loading } from "../../ui/card";
import { Chart, type Line } from "../../ui/chart";
import { useFetched } from "../../ui/fetch";

const STEP = 10 * MINUTE;

async function totals(site: Site, to: number): Promise<{ times: number[]; values: (number | null)[] }> {
  const meters = site.circuits.flatMap((c) => (c.meter ? [c.meter] : []));
  const all = await Promise.all(meters.map((m) => series(m, "w", to - DAY, to, STEP)));
  return { times: all[0]?.times ?? [], values: sum(all) };
}

/** Power now and over the last day, against the same weekday before. */
export function PowerCard() {
  const site = useStore(live, (l) => l.site);
  const channels = useStore(live, (l) => l.channels);
  const total = site ? totalPower(site, channels) : null;
  const aside = total && (
    <span class="power-now">
      <span class="second">{t("power.now")}</span> <b class="big">{power(total.w)}</b>
      {total.known < total.all && <span class="faint">{t("power.nowPart", { known: total.known, all: total.all })}</span>}
    </span>
  );
  return (
    <Card title={t("power.title")} class="power" aside={aside}>
      {site ? <DayPlot site={site} now={total?.w ?? null} /> : <Loading rows={4} />}
    </Card>
  );
}

function DayPlot({ site, now }: { site: Site; now: number | null }) {
  const language = useLang();
  const turn = Math.floor(useNow(30_000) / STEP);
  const { data, fault, reload } = useFetched(async () => {
    const to = Math.ceil(hallNow() / STEP) * STEP;
    const [day, week] = await Promise.all([totals(site, to), totals(site, to - 7 * DAY)]);
    return { to, day, week };
  }, [site, turn]);
  const lines = useMemo((): Line[] => {
    if (!data) return [];
    const before: Line = {
      label: t("power.before", { day: weekdayName(dateOf(data.to - STEP - 7 * DAY)) }),
      values: data.week.values,
      color: "--faint",
      width: 1,
      dash: [4, 4],
    };
    const today: Line = { label: t("power.today"), values: data.day.values, color: "--accent", fill: true };
    return data.week.values.some((v) => v !== null) ? [before, today] : [today];
  }, [data, language]);
  if (fault && !data) return <Failed fault={fault} retry={reload} />;
  if (!data) return <Loading rows={4} />;
  const known = data.day.values.filter((v) => v !== null);
  if (!known.length) return <Empty>{t("power.empty")}</Empty>;
  const alt = t("power.alt", { max: power(Math.max(...known)), now: power(now) });
  return <Chart times={data.day.times} lines={lines} height={180} alt={alt} format={power} />;
}
