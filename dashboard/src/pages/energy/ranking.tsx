import { useState } from "preact/hooks";
import { LEAST_KWH } from "../../format";
import { t } from "../../i18n";
import type { Site } from "../../types";
import { Card, Empty, Raw } from "../../ui/card";
import type { CircuitRow, Report } from "./data";
import { circuitName, energy, percent, useName } from "./words";

const FIRST = 10;

/** Circuits, the largest first; all of them, or the first ten of so many with a way to the others. */
export function Ranking({ site, data }: { site: Site; data: Report }) {
  const [all, showAll] = useState(false);
  const rows = data.circuits;
  const shown = all ? rows : rows.slice(0, FIRST);
  const most = Math.max(...rows.map((r) => r.kwh ?? 0), 0.001);
  const whole = data.basis === "main" && data.total.kwh ? data.total.kwh : rows.reduce((a, r) => a + (r.kwh ?? 0), 0);
  const aside = rows.length > FIRST && !all ? t("energy.firstOf", { n: FIRST, all: rows.length }) : t("energy.allOf", { all: rows.length });
  return (
    <Card title={t("energy.ranking")} aside={rows.length > 0 && <span class="second">{aside}</span>}>
      {rows.length === 0 ? (
        <Empty>{t("energy.noUse")}</Empty>
      ) : (
        <ol class="rank" id="energy-rank">
          {shown.map((row) => (
            <Row key={row.circuit} name={circuitName(site, row.circuit)} row={row} most={most} whole={whole} />
          ))}
        </ol>
      )}
      {rows.length > FIRST && (
        <button type="button" class="link" aria-expanded={all} aria-controls="energy-rank" onClick={() => showAll(!all)}>
          {all ? t("energy.showLess", { n: FIRST }) : t("energy.showAll", { all: rows.length })}
        </button>
      )}
    </Card>
  );
}

function Row({ name, row, most, whole }: { name: string; row: CircuitRow; most: number; whole: number }) {
  const width = (kwh: number) => ({ width: `${Math.min(100, (100 * kwh) / most)}%` });
  const words = [useName(row.use === "protected" ? "protected" : (row.use as "lighting"))];
  if (row.kwh !== null && whole > 0) words.push(t("energy.share", { share: percent(row.kwh / whole) }));
  if (row.waste !== null && row.waste >= LEAST_KWH) words.push(t("energy.rowWaste", { kwh: energy(row.waste) }));
  if (row.known !== null && row.known < 1 && row.kwh !== null) words.push(t("energy.rowKnown", { share: percent(row.known) }));
  return (
    <li data-circuit={row.circuit}>
      <Raw class="name">{name}</Raw>
      {row.kwh === null ? <span class="second num">{t("energy.noReading")}</span> : <b class="num">{energy(row.kwh)}</b>}
      <span class={row.kwh === null ? "track-h none" : "track-h"} aria-hidden="true">
        {row.kwh !== null && <i style={width(row.kwh)} />}
        {row.waste !== null && row.waste > 0 && <i class="wasted" style={width(row.waste)} />}
      </span>
      <span class="faint">{words.join(" · ")}</span>
    </li>
  );
}
