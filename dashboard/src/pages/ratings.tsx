import { useState } from "preact/hooks";
import { get } from "../api";
import { addDays, dateOf, score } from "../format";
import { t, word } from "../i18n";
import { live } from "../live/stream";
import { useStore } from "../store";
import type { RatingRow } from "../types";
import { Card, Empty, Failed, Loading, Raw } from "../ui/card";
import { useFetched } from "../ui/fetch";
import { LevelBar, LEVELS } from "../ui/levels";
import { preset, RangePicker } from "../ui/range";
import { Cases } from "./ratings/cases";
import { Desk } from "./ratings/desk";
import { Heat } from "./ratings/heat";

type By = "counter" | "department" | "person";

/** 评价: counters and departments; n beside every figure, fewer than five in outline. */
export function Ratings() {
  const [by, setBy] = useState<By>("counter");
  const [range, setRange] = useState(() => preset("7d"));
  const pressed = useStore(live, (l) => l.pressed);
  const first = dateOf(range.from);
  const last = addDays(dateOf(range.to - 1), 0);
  const { data, fault, reload } = useFetched(async () => {
    const span = `from=${first}&to=${last}&steps=true`;
    const path = by === "person" ? `/ratings/staff?${span}` : `/ratings/summary?${span}&by=${by}&detail=true`;
    return { by, rows: (await get<{ items: RatingRow[] }>(path)).items };
  }, [by, first, last, pressed]);
  const whole = useFetched(async () => {
    const path = `/ratings/summary?from=${first}&to=${last}&steps=true&by=hall&detail=true`;
    return (await get<{ items: RatingRow[] }>(path)).items[0] ?? null;
  }, [first, last, pressed]);
  return (
    <div class="stack">
      <div class="page-head">
        <p class="page-title" aria-hidden="true">
          {t("nav.ratings")}
        </p>
        <RangePicker value={range} choices={["today", "7d", "30d"]} set={setRange} />
      </div>
      <Whole row={whole.data} fault={whole.fault} retry={whole.reload} />
      <Card title={t(`ratings.by.${by}`)} aside={<Switch by={by} set={setBy} />}>
        {fault && data?.by !== by ? (
          <Failed fault={fault} retry={reload} />
        ) : !data ? (
          <Loading rows={6} />
        ) : data.rows.length ? (
          <Rows {...data} />
        ) : (
          <Empty>{t("ratings.none")}</Empty>
        )}
      </Card>
      <Heat first={first} last={last} pressed={pressed} />
      <Cases />
      <Desk />
    </div>
  );
}

function Switch({ by, set }: { by: By; set: (by: By) => void }) {
  return (
    <div class="segments" role="group" aria-label={t("ratings.group")}>
      {(["counter", "department", "person"] as const).map((name) => (
        <button key={name} type="button" aria-pressed={by === name} onClick={() => set(name)}>
          {t(`ratings.by.${name}`)}
        </button>
      ))}
    </div>
  );
}

interface WholeProps {
  row: RatingRow | null | undefined;
  fault: unknown;
  retry: () => void;
}

/** The hall: every figure with the n it is of; what is of fewer than five is not said. */
function Whole({ row, fault, retry }: WholeProps) {
  const levels = row?.levels;
  const of = row?.of ?? 0;
  const bad = levels ? (levels[2] ?? 0) + (levels[1] ?? 0) : 0;
  return (
    <Card title={t("ratings.all")} aside={<Legend />}>
      {fault && !row ? (
        <Failed fault={fault as Error} retry={retry} />
      ) : !row ? (
        <Loading />
      ) : (
        <div class="stack">
          <div class="fact-grid">
            <p class="fact">
              <span class="huge">{row.n}</span>
              <span class="second">{t("ratings.n", { twice: row.duplicates })}</span>
            </p>
            <p class="fact">
              <span class="huge">{score(row.mean)}</span>
              <span class="second">{levels ? t("ratings.mean", { n: of }) : t("ratings.meanFew", { n: row.n })}</span>
            </p>
            <p class="fact">
              <span class="huge">{levels ? `${((100 * bad) / of).toFixed(1)}%` : "—"}</span>
              <span class="second">
                {levels ? t("ratings.bad", { bad, n: of }) : t("ratings.badFew", { n: row.n })}
              </span>
            </p>
          </div>
          {levels && <LevelBar levels={levels} />}
          <p class="faint">{t("ratings.step")}</p>
        </div>
      )}
    </Card>
  );
}

function Legend() {
  return (
    <ul class="legend" aria-label={t("rate.levels")}>
      {LEVELS.map((level) => (
        <li key={level}>
          <i class={`swatch level-${level}`} style={{ margin: 0 }} aria-hidden="true" />
          {word("level", String(level))}
        </li>
      ))}
    </ul>
  );
}

function Rows({ by, rows }: { by: By; rows: RatingRow[] }) {
  const site = useStore(live, (l) => l.site);
  return (
    <ul class="rate-rows">
      {rows.map((row) => {
        const id = row[by] ?? "";
        const counter = by === "counter" ? site?.counters.find((c) => c.id === id) : undefined;
        return (
          <li key={id}>
            <span class="track-name">
              <b>
                {id ? <Raw>{counter?.name ?? id}</Raw> : t("ratings.nobody")}
              </b>
              {counter && (
                <span class="faint">
                  <Raw>{`${counter.id} · ${counter.department}`}</Raw>
                </span>
              )}
            </span>
            {row.levels ? (
              <LevelBar levels={row.levels} />
            ) : (
              <span class="few" role="img" aria-label={t("rate.few")} title={t("rate.few")} />
            )}
            <span class="num">{score(row.mean)}</span>
            <span class="num second">n {row.n}</span>
            <Beside row={row} />
          </li>
        );
      })}
    </ul>
  );
}

/** What stands beside a row's figures: other channels, visits not rated, a pad that was not heard. */
function Beside({ row }: { row: RatingRow }) {
  const parts: string[] = [];
  const { channels, coverage } = row;
  if (channels?.qr) parts.push(t("ratings.qrN", { n: channels.qr }));
  if (channels?.paper) parts.push(t("ratings.paperN", { n: channels.paper }));
  if (row.unrated !== null && row.visits) parts.push(t("ratings.unratedN", { n: row.unrated, of: row.visits }));
  if (row.excluded) parts.push(t("ratings.excludedN", { n: row.excluded }));
  if (coverage !== null && coverage !== undefined && coverage < 0.99) {
    parts.push(t("ratings.heard", { share: Math.round(100 * coverage) }));
  }
  return parts.length ? <span class="beside faint">{parts.join(" · ")}</span> : null;
}
