import { useState } from "preact/hooks";
import { get } from "../api";
import { addDays, dateOf, score } from "../format";
import { t, word } from "../i18n";
import { live } from "../live/stream";
import { useStore } from "../store";
import type { RatingRow } from "../types";
import { Card, Empty, Failed, Loading, Raw } from "../ui/card";
import { useFetched } from "../ui/fetch";
import { LevelBar, LEVELS, pool } from "../ui/levels";
import { preset, RangePicker } from "../ui/range";
import { Cases } from "./ratings/cases";
import { Desk } from "./ratings/desk";
import { Heat } from "./ratings/heat";

type By = "counter" | "department" | "person";

/** 评价: counters and departments; n beside every figure, fewer than five in outline. */
export function Ratings() {
  const [by, setBy] = useState<By>("counter");
  const [range, setRange] = useState(() => preset("7d"));
  const pressed = useStore(live, (l) => Math.floor(l.pressed / 5));
  const first = dateOf(range.from);
  const last = addDays(dateOf(range.to - 1), 0);
  const { data, fault, reload } = useFetched(async () => {
    const span = `from=${first}&to=${last}`;
    const path = by === "person" ? `/ratings/staff?${span}` : `/ratings/summary?${span}&by=${by}&detail=true`;
    return { by, rows: (await get<{ items: RatingRow[] }>(path)).items };
  }, [by, first, last, pressed]);
  return (
    <div class="stack">
      <div class="page-head">
        <p class="page-title" aria-hidden="true">
          {t("nav.ratings")}
        </p>
        <RangePicker value={range} choices={["today", "7d", "30d"]} set={setRange} />
      </div>
      {fault && data?.by !== by ? (
        <Card title={t(`ratings.by.${by}`)} aside={<Switch by={by} set={setBy} />}>
          <Failed fault={fault} retry={reload} />
        </Card>
      ) : (
        <>
          <Whole rows={data?.rows ?? null} />
          <Card title={t(`ratings.by.${by}`)} aside={<Switch by={by} set={setBy} />}>
            {!data ? <Loading rows={6} /> : data.rows.length ? <Rows {...data} /> : <Empty>{t("ratings.none")}</Empty>}
          </Card>
        </>
      )}
      <Heat first={first} last={last} />
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

function Whole({ rows }: { rows: RatingRow[] | null }) {
  const n = rows?.reduce((sum, r) => sum + r.n, 0) ?? 0;
  const twice = rows?.reduce((sum, r) => sum + r.duplicates, 0) ?? 0;
  const { levels, mean } = pool(rows ?? []);
  const shown = levels ? LEVELS.reduce((sum, l) => sum + (levels[l] ?? 0), 0) : 0;
  const bad = levels ? (levels[2] ?? 0) + (levels[1] ?? 0) : 0;
  return (
    <Card title={t("ratings.all")} aside={<Legend />}>
      {!rows ? (
        <Loading />
      ) : (
        <div class="stack">
          <div class="fact-grid">
            <p class="fact">
              <span class="huge">{n}</span>
              <span class="second">{t("ratings.n", { twice })}</span>
            </p>
            <p class="fact">
              <span class="huge">{score(mean)}</span>
              <span class="second">{t("ratings.mean", { n: shown })}</span>
            </p>
            <p class="fact">
              <span class="huge">{shown ? `${((100 * bad) / shown).toFixed(1)}%` : "—"}</span>
              <span class="second">{t("ratings.bad", { bad, n: shown })}</span>
            </p>
          </div>
          {levels && <LevelBar levels={levels} />}
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
