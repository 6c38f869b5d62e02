import { useMemo } from "preact/hooks";
import { dateOf, hm, kwh, ms } from "../../format";
import { t, useLang } from "../../i18n";
import { Card, Empty } from "../../ui/card";
import { STEP, USES, type Report, type UseKey, type UseRow } from "./data";
import { Plot, type Ink, type Layer } from "./plot";
import { energy, percent, useName } from "./words";

/** One hue from dark to light, and grey for the rest. */
const INK: Record<UseKey, Ink> = {
  lighting: { color: "--accent" },
  ac: { color: "--accent", share: 62 },
  counter: { color: "--accent", share: 30 },
  rest: { color: "--faint", share: 55 },
};

const sumOf = (row: UseRow): number | null => {
  const known = USES.map((use) => row[use]).filter((v) => v !== null);
  return known.length ? known.reduce((a, b) => a + b, 0) : null;
};

/** Each use stacked on those before it; the highest is drawn first, the lower ones over it. */
function stacked(items: UseRow[]): Layer[] {
  return USES.map((use, n): Layer => {
    const values = items.map((row) => {
      const below = USES.slice(0, n + 1).map((u) => row[u]);
      return below.every((v) => v === null) ? null : below.reduce<number>((a, b) => a + (b ?? 0), 0);
    });
    return { label: useName(use), values, ink: INK[use], kind: "column" };
  }).reverse();
}

/** Lights, AC, counters and the rest: their sums, their course, and how the rest is known. */
export function Uses({ data }: { data: Report }) {
  const language = useLang();
  const { items, sums, step, rest, excess } = data.uses;
  const plot = useMemo(() => ({ times: items.map((row) => ms(row.t)), layers: stacked(items) }), [items, language]);
  const whole = USES.map((use) => sums[use]).reduce<number>((a, b) => a + (b ?? 0), 0);
  const known = USES.some((use) => sums[use] !== null);
  const name = (row: UseRow) => (step === "1d" ? dateOf(row.t).slice(5) : `${dateOf(row.t).slice(5)} ${hm(row.t)}`);
  const tell = (i: number): string => {
    const row = items[i];
    if (!row) return "";
    const parts = USES.filter((use) => row[use] !== null).map((use) => `${useName(use)} ${energy(row[use])}`);
    return [name(row), ...(parts.length ? parts : [t("energy.gap")])].join("  ·  ");
  };
  const why = rest === "main" && known && sums.rest === null ? t("energy.restGone") : t(`energy.rest.${rest}`);
  return (
    <Card title={t("energy.byUse")}>
      {!known ? (
        <Empty>{t("energy.noReading")}</Empty>
      ) : (
        <>
          <ul class="uses">
            {USES.map((use) => (
              <li key={use} data-use={use}>
                <i
                  class="key-box"
                  aria-hidden="true"
                  style={{ "--ink": INK[use].share === undefined ? `var(${INK[use].color})` : `color-mix(in srgb, var(${INK[use].color}) ${INK[use].share}%, var(--card))` }}
                />
                <span class="name">{useName(use)}</span>
                {sums[use] === null ? (
                  <span class="second">{use === "rest" ? t("common.unknown") : t("energy.noUse")}</span>
                ) : (
                  <b>{energy(sums[use])}</b>
                )}
                <span class="second num">{sums[use] !== null && whole > 0 ? `${percent(sums[use] / whole)}%` : ""}</span>
              </li>
            ))}
          </ul>
          <p class="faint">{why}</p>
          {excess >= 0.05 && (
            <p class="energy-state above">
              <span aria-hidden="true">▲ </span>
              {t("energy.excess", { kwh: energy(excess) })}
            </p>
          )}
          <Plot times={plot.times} step={STEP[step]} layers={plot.layers} height={180} alt={t("energy.altUses")} format={kwh} tell={tell} quiet={t(step === "1d" ? "energy.perDay" : "energy.perHour")} />
          <details class="energy-table">
            <summary>{t("energy.table")}</summary>
            <div class="table-scroll" tabIndex={0} role="region" aria-label={t("energy.table")}>
              <table>
                <thead>
                  <tr>
                    <th scope="col">{t(step === "1d" ? "energy.day" : "energy.time")}</th>
                    {USES.map((use) => (
                      <th key={use} scope="col" class="num">
                        {useName(use)}
                      </th>
                    ))}
                    <th scope="col" class="num">
                      {t("energy.sum")}
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {items
                    .filter((row) => ms(row.t) < ms(data.until))
                    .map((row) => (
                      <tr key={row.t}>
                        <th scope="row">{name(row)}</th>
                        {USES.map((use) => (
                          <td key={use} class="num">
                            {row[use] === null ? "—" : row[use].toFixed(2)}
                          </td>
                        ))}
                        <td class="num">{sumOf(row)?.toFixed(2) ?? "—"}</td>
                      </tr>
                    ))}
                </tbody>
              </table>
            </div>
          </details>
        </>
      )}
    </Card>
  );
}
