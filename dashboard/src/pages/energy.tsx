import { useEffect, useMemo, useState } from "preact/hooks";
import { hallNow, useNow } from "../clock";
import { dateOf, hms, midnight, MINUTE } from "../format";
import { t } from "../i18n";
import { live } from "../live/stream";
import { href } from "../route";
import { useStore } from "../store";
import type { Site } from "../types";
import { Card, Empty, Failed, Loading, whyOf } from "../ui/card";
import { useFetched } from "../ui/fetch";
import { RangePicker, type Range } from "../ui/range";
import { Calendar } from "./energy/calendar";
import { csv, save } from "./energy/csv";
import { daysOf, howMany, MOST_DAYS, report, type Report } from "./energy/data";
import { addressOf, CHOICES, rangeOf } from "./energy/range";
import { Ranking } from "./energy/ranking";
import { Total } from "./energy/total";
import { Uses } from "./energy/uses";

const EVERY = 5 * MINUTE;

/** 能耗: whole days that the address names, one report of them for the whole page. */
export function Energy({ rest }: { rest: string[] }) {
  const site = useStore(live, (l) => l.site);
  const now = useNow(20_000);
  const today = dateOf(now);
  const range = useMemo(() => rangeOf(rest), [rest.join("/"), today]);
  const set = (next: Range) => {
    location.hash = addressOf(next, ...daysOf(next));
  };
  const [first, last] = daysOf(range);
  const days = howMany(first, last);
  const turn = last >= today ? Math.floor(now / EVERY) : 0;
  return (
    <div class="stack energy">
      <div class="page-head">
        <p class="page-title" aria-hidden="true">
          {t("nav.energy")}
        </p>
        <RangePicker value={range} choices={CHOICES} set={set} />
      </div>
      {!site ? (
        <Waiting first={first} last={last} />
      ) : days > MOST_DAYS ? (
        <Card title={t("energy.total")}>
          <p class="empty" role="alert">
            {t("energy.tooLong", { n: MOST_DAYS })}
          </p>
        </Card>
      ) : (
        <Read site={site} first={first} last={last} turn={turn} />
      )}
    </div>
  );
}

/** Grey bars, and what is being read. */
function Waiting({ first, last }: { first: string; last: string }) {
  return (
    <Card title={t("energy.total")}>
      <Reading first={first} last={last} />
      <Loading rows={8} />
    </Card>
  );
}

function Reading({ first, last }: { first: string; last: string }) {
  return (
    <p class="energy-reading" role="status">
      <progress aria-label={t("common.loading")} />
      {t("energy.reading", { from: first, to: last, days: howMany(first, last) })}
    </p>
  );
}

interface ReadProps {
  site: Site;
  first: string;
  last: string;
  turn: number;
}

function Read({ site, first, last, turn }: ReadProps) {
  const lost = useStore(live, (l) => l.status === "lost");
  const { data, fault, reload } = useFetched(
    async () => ({ report: await report(first, last), at: hallNow() }),
    [first, last, turn, lost],
  );
  const shown = data?.report;
  const other = shown !== undefined && (shown.from !== first || shown.to !== last);
  const slow = useSlow(other && !fault);
  if (!shown || (other && fault)) {
    return fault ? (
      <Card title={t("energy.total")}>
        <Failed fault={fault} retry={reload} />
      </Card>
    ) : (
      <Waiting first={first} last={last} />
    );
  }
  return (
    <>
      {Boolean(fault) && (
        <div class="failed energy-stale" role="alert">
          <p>{t("energy.stale", { why: whyOf(fault), at: hms(data.at) })}</p>
          <button type="button" class="button" onClick={reload}>
            {t("common.retry")}
          </button>
        </div>
      )}
      {slow && <Reading first={first} last={last} />}
      <div class={other ? "stack busy" : "stack"} aria-busy={other}>
        <Shown site={site} data={shown} />
      </div>
    </>
  );
}

/** True once `busy` has lasted long enough to be worth a word. */
function useSlow(busy: boolean): boolean {
  const [slow, set] = useState(false);
  useEffect(() => {
    if (!busy) return set(false);
    const id = setTimeout(() => set(true), 200);
    return () => clearTimeout(id);
  }, [busy]);
  return slow;
}

function Shown({ site, data }: { site: Site; data: Report }) {
  const pick = (day: string) => {
    location.hash = day === dateOf(hallNow()) ? href("energy") : href("energy", day, day);
  };
  if (data.basis === null) {
    const coming = midnight(data.from) > hallNow();
    return (
      <Card title={t("energy.total")}>
        <Empty>{t(coming ? "energy.coming" : "power.empty")}</Empty>
      </Card>
    );
  }
  const name = `${site.id}-energy-${data.from}_${data.to}.csv`;
  const aside = (
    <button type="button" class="button" onClick={() => save(name, csv(site, data))}>
      {t("energy.csv")}
    </button>
  );
  const nothing = data.total.kwh === null && data.circuits.every((c) => c.kwh === null);
  return (
    <>
      {nothing ? <Nothing data={data} /> : <Total site={site} data={data} aside={aside} />}
      {!nothing && (
        <div class="pair">
          <Uses data={data} />
          <Ranking site={site} data={data} />
        </div>
      )}
      <Calendar data={data} pick={pick} />
    </>
  );
}

/** No reading in these days: nothing is drawn, and no zero is shown. */
function Nothing({ data }: { data: Report }) {
  const key = midnight(data.from) > hallNow() ? "energy.coming" : data.from === data.to ? "energy.noneDay" : "energy.none";
  return (
    <Card title={t("energy.total")}>
      <Empty>{t(key, { day: data.from, from: data.from, to: data.to })}</Empty>
    </Card>
  );
}
