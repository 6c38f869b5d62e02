import { useMemo } from "preact/hooks";
import { hallNow, useNow } from "../../clock";
import { DAY, dateOf, MINUTE, ms, power } from "../../format";
import { t, useLang } from "../../i18n";
import { totalPower } from "../../live/read";
import { live } from "../../live/stream";
import { useStore } from "../../store";
import { Card, Empty, Failed, Loading } from "../../ui/card";
import { Chart, type Line } from "../../ui/chart";
import { useFetched } from "../../ui/fetch";
import { report } from "../energy/data";

const STEP = 10 * MINUTE;

interface Drawn {
  times: number[];
  total: (number | null)[];
  part: (number | null)[];
  usual: (number | null)[];
}

/** The last day's power, and what the same weekdays before, worked or off alike, were at that hour. */
async function lastDay(): Promise<Drawn> {
  const to = Math.ceil(hallNow() / STEP) * STEP;
  const { curve } = await report(dateOf(to - DAY), dateOf(to - 1));
  const items = curve.items.filter((p) => ms(p.t) >= to - DAY && ms(p.t) < to);
  return {
    times: items.map((p) => ms(p.t)),
    total: items.map((p) => p.value),
    part: items.map((p) => p.part),
    usual: items.map((p) => p.mid),
  };
}

/** Power now and over the last day, against the same weekdays before. */
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
      {site ? <DayPlot now={total?.w ?? null} /> : <Loading rows={4} />}
    </Card>
  );
}

function DayPlot({ now }: { now: number | null }) {
  const language = useLang();
  const turn = Math.floor(useNow(30_000) / STEP);
  const { data, fault, reload } = useFetched(lastDay, [turn]);
  const lines = useMemo((): Line[] => {
    if (!data) return [];
    const some = (line: Line) => (line.values.some((v) => v !== null) ? [line] : []);
    return [
      ...some({ label: t("power.before"), values: data.usual, color: "--faint", width: 1, dash: [4, 4] }),
      { label: t("power.today"), values: data.total, color: "--accent", fill: true },
      ...some({ label: t("energy.part"), values: data.part, color: "--accent", dash: [2, 3] }),
    ];
  }, [data, language]);
  if (fault && !data) return <Failed fault={fault} retry={reload} />;
  if (!data) return <Loading rows={4} />;
  const known = [...data.total, ...data.part].filter((v) => v !== null);
  if (!known.length) return <Empty>{t("power.empty")}</Empty>;
  const alt = t("power.alt", { max: power(Math.max(...known)), now: power(now) });
  return <Chart times={data.times} lines={lines} height={180} alt={alt} format={power} />;
}
