import type { ComponentChildren } from "preact";
import { hallNow } from "../../clock";
import { duration, ms, when } from "../../format";
import { t, word } from "../../i18n";
import { live } from "../../live/stream";
import { href } from "../../route";
import { useStore } from "../../store";
import type { DeviceRow } from "../../types";
import { Raw } from "../../ui/card";
import { Sign } from "../../ui/sign";
import { batteryOf, certificateOf, clockOf, rangesOf, samplesOf, stateOf, type Fact } from "./model";
import { Left } from "./work";

/** One name with its value; what is not as it should be has a sign and stands out. */
export function Line({ name, bad = false, children }: { name: string; bad?: boolean; children: ComponentChildren }) {
  return (
    <div class={bad ? "bad" : ""}>
      <dt>{name}</dt>
      <dd>
        {bad && <Sign of="warning" label={false} />}
        {children}
      </dd>
    </div>
  );
}

export function FactLine({ name, fact }: { name: string; fact: Fact | null }) {
  return (
    <Line name={name} bad={fact?.bad}>
      {fact?.text ?? "—"}
    </Line>
  );
}

/** The sign of how it stands, in a shape and a word. */
export function StateSign({ row }: { row: DeviceRow }) {
  const told = useStore(live, (l) => l.devices[row.id]);
  const { state, silent } = stateOf(row, told);
  const wrong = silent || state === "lost";
  return (
    <span class="dev-state">
      {wrong ? <Sign of="warning" label={false} /> : <i class={`dot ${state === "ready" ? "on" : "off"}`} aria-hidden="true" />}
      {word("dev", state)}
    </span>
  );
}

/** When it was last heard; a silent one's age stands on its hatched band. */
export function Heard({ row }: { row: DeviceRow }) {
  const told = useStore(live, (l) => l.devices[row.id]);
  const { silent, last } = stateOf(row, told);
  if (!last) return <p class="dev-stale">{t("dev.neverLong")}</p>;
  const ago = duration(hallNow() - ms(last));
  return silent ? (
    <p class="dev-stale">
      <b>{t("dev.stale", { ago })}</b> <span class="second">{t("dev.staleNote")}</span>
    </p>
  ) : (
    <p class="second">{t("dev.last", { at: when(last, hallNow()), ago })}</p>
  );
}

/** A device at its place: all that can be wrong with it at a glance. */
export function Device({ row }: { row: DeviceRow }) {
  const told = useStore(live, (l) => l.devices[row.id]);
  const { silent } = stateOf(row, told);
  const [certificate, samples, battery] = [certificateOf(row), samplesOf(row), batteryOf(row)];
  return (
    <li class={`dev${silent ? " silent" : ""}`} data-device={row.id}>
      <div class="dev-head">
        <a href={href("devices", row.id)} class="dev-name">
          <b>
            <Raw>{row.id}</Raw>
          </b>{" "}
          <span class="second">{word("kind", row.kind)}</span>
        </a>
        <StateSign row={row} />
      </div>
      <Heard row={row} />
      {row.maintenance && (
        <p class="dev-work">
          <Left work={row.maintenance} />
        </p>
      )}
      <dl class="dev-facts">
        <FactLine name={t("dev.clock")} fact={clockOf(row)} />
        <Line name={t("dev.fw")}>
          <Raw>{row.fw ?? "—"}</Raw>
        </Line>
        <Line name={t("dev.held")}>{row.health?.held ?? "—"}</Line>
        <Line name={t("dev.dropped")}>{row.health?.dropped ?? "—"}</Line>
        {samples && <FactLine name={t("dev.samples")} fact={samples} />}
        {(battery || row.power === "battery") && <FactLine name={t("dev.power")} fact={battery} />}
        {certificate?.bad && <FactLine name={t("dev.cert")} fact={certificate} />}
        {row.missing.length > 0 && (
          <Line name={t("dev.missing")} bad>
            {rangesOf(row.missing, 2)}
          </Line>
        )}
        {row.lost > 0 && <Line name={t("dev.gone")}>{row.lost}</Line>}
        {row.rejected > 0 && (
          <Line name={t("dev.rejected")}>
            {row.rejected}
            {row.last_reject && ` · ${word("refuse", row.last_reject.why)}`}
          </Line>
        )}
      </dl>
    </li>
  );
}
