import type { ComponentChildren } from "preact";
import { power } from "../../format";
import { ruleTitle, t, word } from "../../i18n";
import { flag, lit, number, type Channels, type Tri } from "../../live/read";
import { findingHref } from "../../route";
import type * as Api from "../../types";
import { Raw } from "../../ui/card";
import { Sign } from "../../ui/sign";
import { dot } from "./plan";

type Finding = Api.Finding | undefined;

interface Common {
  channels: Channels;
  finding: Finding;
}

/** One thing of the plan. With a finding it wears its colour and sign, and leads to it. */
function Thing(props: { class: string; finding: Finding; children: ComponentChildren; id: string }) {
  const { finding } = props;
  const marked = finding ? ` marked ${finding.severity}` : "";
  return (
    <li class={`thing ${props.class}${marked}`} data-id={props.id}>
      {finding ? (
        <a href={findingHref(finding.id)} title={ruleTitle(finding.rule)}>
          {props.children}
          <Sign of={finding.severity} label={false} />
          <span class="sr">{ruleTitle(finding.rule)}</span>
        </a>
      ) : (
        <div>{props.children}</div>
      )}
    </li>
  );
}

const onOff = (state: Tri): string => t(state === null ? "state.unknown" : state ? "state.on" : "state.off");

export function Lamp({ circuit, channels, finding }: Common & { circuit: Api.Circuit }) {
  const state = lit(channels, circuit);
  const w = number(channels, circuit.meter, "w");
  return (
    <Thing class={`lamp ${dot(state)}`} finding={finding} id={circuit.id}>
      <span class="tubes" aria-hidden="true">
        <i />
        <i />
      </span>
      <Raw class="name">{circuit.name}</Raw>
      <span class="reading">
        {onOff(state)}
        {state && w !== null && ` ${power(w)}`}
      </span>
    </Thing>
  );
}

export function Socket({ circuit, channels, finding }: Common & { circuit: Api.Circuit }) {
  const w = number(channels, circuit.meter, "w");
  const state = lit(channels, circuit);
  return (
    <Thing class="socket" finding={finding} id={circuit.id}>
      <i class={`dot square ${dot(state)}`} aria-hidden="true" />
      <Raw class="name">{circuit.name}</Raw>
      <span class="reading">{w === null ? onOff(state) : power(w)}</span>
    </Thing>
  );
}

export function Counter({ counter, channels, finding }: Common & { counter: Api.Counter }) {
  const state = counter.presence ? flag(channels, counter.presence, "present") : null;
  const text = !counter.presence ? "state.nosensor" : state === null ? "state.unknown" : state ? "state.present" : "state.vacant";
  return (
    <Thing class="desk" finding={finding} id={counter.id}>
      <i class={`dot ${dot(state)}`} aria-hidden="true" />
      <Raw class="code">{counter.id}</Raw>
      <Raw class="name">{counter.name}</Raw>
      <span class="sr">{t(text)}</span>
    </Thing>
  );
}

export function AirCon({ ac, channels, finding }: Common & { ac: Api.AirCon }) {
  const src = channels[ac.source]?.values.src;
  const on = src === "assumed" ? null : flag(channels, ac.source, "on");
  const set = number(channels, ac.source, "set");
  const mode = channels[ac.source]?.values.mode;
  return (
    <Thing class="aircon" finding={finding} id={ac.id}>
      <i class={`dot square ${dot(on)}`} aria-hidden="true" />
      <Raw class="name">{ac.name}</Raw>
      <span class="reading">
        {on && typeof mode === "string" ? `${word("mode", mode)} ` : onOff(on)}
        {on && set !== null && `${set}°`}
      </span>
    </Thing>
  );
}

/** Drawn across the wall as on a floor plan: panes for a window, a leaf for a door. */
export function Opening({ opening, channels, finding }: Common & { opening: Api.Opening }) {
  const open = flag(channels, opening.contact, "open");
  const locked = flag(channels, opening.lock, "locked");
  const parts = [
    opening.contact && t(open === null ? "state.unknown" : open ? "state.openDoor" : "state.shut"),
    opening.lock && t(locked === null ? "state.unknown" : locked ? "state.locked" : "state.unlocked"),
  ].filter(Boolean);
  const shape = opening.kind === "window" ? <Pane open={open} /> : <Leaf open={opening.contact ? open : false} locked={locked} />;
  return (
    <Thing class={`opening ${opening.kind}${open ? " is-open" : ""}`} finding={finding} id={opening.id}>
      {shape}
      <Raw class="name">{opening.name}</Raw>
      <span class="reading">{parts.join(" · ") || t("state.nosensor")}</span>
    </Thing>
  );
}

const HATCH = "M-2 10 8 0M6 12 18 0M16 12 28 0M26 12 38 0M36 12 46 2";

function Pane({ open }: { open: Tri }) {
  return (
    <svg class="glyph" viewBox="0 0 44 28" width="44" height="28" aria-hidden="true">
      <rect class="gap" x="0" y="0" width="44" height="12" />
      {open === null && <path class="thin" d={HATCH} transform="translate(0 0)" />}
      <rect class="frame" x=".75" y=".75" width="42.500" height="10.500" />
      {open === false && <path class="thin" d="M0 6H44" />}
      {open && <path class="leaf" d="M2 6 20 24M42 6 24 24" />}
    </svg>
  );
}

function Leaf({ open, locked }: { open: Tri; locked: Tri }) {
  return (
    <svg class="glyph" viewBox="0 0 44 28" width="44" height="28" aria-hidden="true">
      <rect class="gap" x="6" y="0" width="32" height="12" />
      {open === null && <path class="thin" d="M8 10 16 2M14 11 24 1M22 11 32 1M30 11 36 5" />}
      <path class="frame" d="M6 0V12M38 0V12" />
      {open === false && <path class="leaf" d="M6 6H38" />}
      {open && <path class="leaf" d="M7 6V27" />}
      {open && <path class="thin" d="M7 27A31 21 0 0 0 38 6" />}
      {locked && (
        <g class="bolt">
          <rect x="16" y="3" width="12" height="9" rx="1" />
          <path d="M18.500 3V1a3.500 3.500 0 0 1 7 0V3" fill="none" />
        </g>
      )}
    </svg>
  );
}
