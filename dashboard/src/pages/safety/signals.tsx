import { hallNow } from "../../clock";
import { MINUTE, ms, power } from "../../format";
import { t } from "../../i18n";
import { series, type Samples } from "../../live/history";
import { place, stretches } from "../../live/spans";
import { live } from "../../live/stream";
import { useStore } from "../../store";
import type { Finding, Site } from "../../types";
import { Grid, TimeAxis } from "../../ui/axis";
import { Card, Empty, Failed, Loading, Raw } from "../../ui/card";
import { useFetched } from "../../ui/fetch";

const STEP = 30_000;

interface Signal {
  channel: string;
  field: string;
  name: string;
}

/** The channels that a finding's rule can have read: of its subject, and the presence of its zone. */
function signalsOf(site: Site, finding: Finding): Signal[] {
  const { subject, zone } = finding;
  const out: Signal[] = [];
  const add = (channel: string | null | undefined, field: string, name: string) => {
    if (channel && !out.some((s) => s.channel === channel && s.field === field)) out.push({ channel, field, name });
  };
  for (const c of site.circuits.filter((x) => x.id === subject)) add(c.meter ?? c.relay, c.meter ? "w" : "on", c.name);
  for (const o of site.openings.filter((x) => x.id === subject)) {
    add(o.contact, "open", `${o.name} · ${t("state.openDoor")}`);
    add(o.lock, "locked", `${o.name} · ${t("state.locked")}`);
  }
  for (const a of site.acs.filter((x) => x.id === subject)) {
    add(a.source, "on", `${a.name} · ${t("state.on")}`);
    add(a.source, "set", `${a.name} · ${t("sig.set")}`);
  }
  for (const c of site.counters.filter((x) => x.id === subject)) add(c.presence, "present", c.name);
  if (finding.rule === "ac.opening") {
    for (const o of site.openings.filter((x) => x.zone === zone)) add(o.contact, "open", o.name);
  }
  for (const s of site.sensors.filter((x) => x.zone === zone)) {
    if (s.kind === "presence") add(s.source, "present", `${t("sig.presence")} ${s.source}`);
    if (s.kind === "lux" && finding.rule === "lights.daylight") add(s.source, "lx", `${t("sig.lux")} ${s.source}`);
  }
  return out.slice(0, 8);
}

interface Window {
  from: number;
  to: number;
  hold: [number, number];
}

function windowOf(finding: Finding): Window {
  const since = ms(finding.since);
  const start = ms(finding.start);
  return { from: since - 30 * MINUTE, to: start + 30 * MINUTE, hold: [since, start] };
}

/** The finding's signals from 30 min before to 30 min after, under one axis; the hold is shaded. */
export function Signals({ finding }: { finding: Finding }) {
  const site = useStore(live, (l) => l.site);
  const w = windowOf(finding);
  const { data, fault, reload } = useFetched(async () => {
    if (!site) return null;
    const wanted = signalsOf(site, finding);
    const read = (s: Signal) => series(s.channel, s.field, w.from, w.to, STEP).then((samples) => ({ ...s, samples }));
    return Promise.all(wanted.map(read));
  }, [site, finding.id]);
  return (
    <Card title={t("sig.title")} aside={<span class="faint">{t("sig.note")}</span>}>
      {fault && !data ? (
        <Failed fault={fault} retry={reload} />
      ) : !data ? (
        <Loading />
      ) : data.length ? (
        <div class="tracks signals">
          {data.map((s) => (
            <div class="track" key={s.channel + s.field}>
              <div class="track-name">
                <Raw>{s.name}</Raw>
              </div>
              <div class="track-line">
                <Grid from={w.from} to={w.to} />
                <Shade w={w} finding={finding} />
                <Trace samples={s.samples} field={s.field} w={w} />
              </div>
              <div class="track-sum">
                <Last samples={s.samples} field={s.field} />
              </div>
            </div>
          ))}
          <div class="track-axis">
            <TimeAxis from={w.from} to={w.to} />
          </div>
        </div>
      ) : (
        <Empty>{t("sig.none")}</Empty>
      )}
    </Card>
  );
}

function Shade({ w, finding }: { w: Window; finding: Finding }) {
  const held = place(w.hold[0], Math.max(w.hold[1], w.hold[0] + 1), w.from, w.to);
  const lasting = place(w.hold[1], finding.end ? ms(finding.end) : hallNow(), w.from, w.to);
  return (
    <>
      {held && <i class="shade-hold" style={held} aria-hidden="true" />}
      {lasting && <i class={`shade-found ${finding.severity}`} style={lasting} aria-hidden="true" />}
    </>
  );
}

const TWO_VALUED = ["open", "locked", "present", "on"];

function Trace({ samples, field, w }: { samples: Samples; field: string; w: Window }) {
  if (TWO_VALUED.includes(field)) {
    return (
      <div class="track-bar">
        {stretches(samples, STEP, Math.min(w.to, hallNow())).map((s) => {
          const at = place(s.begin, s.end, w.from, w.to);
          return s.state !== false && at && <span key={s.begin} class={s.state === null ? "hatch" : "open"} style={at} />;
        })}
      </div>
    );
  }
  return <Curve samples={samples} />;
}

function Curve({ samples }: { samples: Samples }) {
  const known = samples.mean.filter((v) => v !== null);
  const top = Math.max(1, ...known) * 1.1;
  const n = Math.max(1, samples.times.length - 1);
  let path = "";
  let pen = false;
  samples.mean.forEach((v, i) => {
    if (v === null) {
      pen = false;
      return;
    }
    path += `${pen ? "L" : "M"}${((1000 * i) / n).toFixed(1)} ${(40 - (40 * v) / top).toFixed(1)}`;
    pen = true;
  });
  return (
    <svg class="curve" viewBox="0 0 1000 40" preserveAspectRatio="none" aria-hidden="true">
      <path d={path} vector-effect="non-scaling-stroke" />
    </svg>
  );
}

function Last({ samples, field }: { samples: Samples; field: string }) {
  const known = samples.mean.filter((v) => v !== null);
  const last = known.at(-1);
  if (last === undefined) return <>{t("state.unknown")}</>;
  if (field === "w") return <>{t("sig.max", { v: power(Math.max(...known)) })}</>;
  if (field === "set") return <>{`${last} °C`}</>;
  if (field === "lx") return <>{t("plan.lux", { n: Math.round(last) })}</>;
  return null;
}
