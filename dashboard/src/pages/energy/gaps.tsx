import { useState } from "preact/hooks";
import { stamp } from "../../format";
import { t, useLang } from "../../i18n";
import type { Site } from "../../types";
import { Raw } from "../../ui/card";
import { spanText, type GapRow, type Report } from "./data";
import { circuitName, listed, oneDay } from "./words";

const FEW = 4;

/** When what was not heard, in words: the same that the curve hatches, circuit by circuit. */
export function Gaps({ site, data }: { site: Site; data: Report }) {
  const [all, showAll] = useState(false);
  const language = useLang();
  const { count, items, step } = data.gaps;
  const names = (ids: string[]) => listed(ids.map((id) => circuitName(site, id)), language);
  const shown = all ? items : items.slice(0, FEW);
  const quiet = data.total.kwh === null;
  return (
    <div class="energy-gaps">
      {count === 0 ? (
        !quiet && <p class="faint">{t("energy.gapNone")}</p>
      ) : (
        <>
          <p>
            <i class="key-gap" aria-hidden="true" /> {t("energy.gapCount", { n: count, step: t(`energy.step.${step}`) })}
          </p>
          <ul>
            {shown.map((row) => (
              <li key={`${row.from} ${row.circuits.join()}`}>
                <span class="gap-when">{spanText(row.from, row.to, stamp, oneDay(data))}</span>{" "}
                <Who site={site} row={row} />
              </li>
            ))}
          </ul>
          {items.length > FEW && (
            <button type="button" class="link" aria-expanded={all} onClick={() => showAll(!all)}>
              {all ? t("energy.showLess", { n: FEW }) : t("energy.gapMore", { n: items.length - FEW })}
            </button>
          )}
          {count > items.length && <p class="faint">{t("energy.gapTold", { n: items.length })}</p>}
        </>
      )}
      {data.unheard.length > 0 && (
        <p class="faint">
          {t("energy.unheard")}
          <Raw>{names(data.unheard)}</Raw>
        </p>
      )}
      {data.unmetered.length > 0 && (
        <p class="faint">
          {t("energy.unmetered")}
          <Raw>{names(data.unmetered)}</Raw>
        </p>
      )}
    </div>
  );
}

function Who({ site, row }: { site: Site; row: GapRow }) {
  const language = useLang();
  const metered = site.circuits.filter((c) => c.meter).length;
  const whole = row.circuits.length > 1 && row.circuits.length === metered;
  const parts = [];
  if (row.main) parts.push(<span key="main">{t("energy.gapMain")}</span>);
  if (whole) parts.push(<span key="all">{t("energy.gapAll")}</span>);
  else if (row.circuits.length > 3) {
    const some = circuitName(site, row.circuits[0] ?? "");
    parts.push(
      <span key="some">
        <Raw>{some}</Raw> {t("energy.gapMany", { n: row.circuits.length })}
      </span>,
    );
  } else if (row.circuits.length) {
    parts.push(<Raw key="names">{listed(row.circuits.map((id) => circuitName(site, id)), language)}</Raw>);
  }
  return <>{parts.flatMap((part, i) => (i ? [<span key={`s${i}`}>{t("common.list")}</span>, part] : [part]))}</>;
}
