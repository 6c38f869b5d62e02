import { useState } from "preact/hooks";
import { t } from "../i18n";
import { preset, RangePicker } from "../ui/range";
import { FindingDetail } from "./safety/detail";
import { PatrolBoard } from "./safety/patrols";
import { Timelines } from "./safety/timelines";

/** 安全: doors, exits, locks and windows over time; patrol rounds; a finding's detail. */
export function Safety({ rest }: { rest: string[] }) {
  const [range, setRange] = useState(() => preset("24h"));
  if (rest[0] === "finding" && rest[1]) return <FindingDetail id={rest[1]} key={rest[1]} />;
  return (
    <div class="stack">
      <div class="page-head">
        <p class="page-title" aria-hidden="true">
          {t("nav.safety")}
        </p>
        <RangePicker value={range} choices={["today", "24h", "7d"]} set={setRange} />
      </div>
      <Timelines range={range} />
      <PatrolBoard range={range} />
    </div>
  );
}
