import { t } from "../../i18n";
import { activeFindings } from "../../live/state";
import { live } from "../../live/stream";
import { brightest, climate, detected, present, worstBySubject, type Channels, type Tri } from "../../live/read";
import { useStore } from "../../store";
import type { Finding, Site, Zone } from "../../types";
import { Card, Loading, Raw } from "../../ui/card";
import { Tally } from "../../ui/sign";
import { AirCon, Counter, Lamp, Opening, Socket } from "./things";

/** The zones with everything in them. Grey is normal; colour and a sign mark a finding. */
export function Plan() {
  const site = useStore(live, (l) => l.site);
  const channels = useStore(live, (l) => l.channels);
  const findings = useStore(live, (l) => l.findings);
  if (!site) {
    return (
      <Card title={t("plan.title")} class="plan">
        <Loading rows={8} />
      </Card>
    );
  }
  const active = activeFindings(findings);
  const worst = worstBySubject(active);
  return (
    <Card title={t("plan.title")} class="plan" aside={<Legend />}>
      <div class="zones">
        {site.zones.map((zone) => (
          <ZoneBox key={zone.id} zone={zone} site={site} channels={channels} active={active} worst={worst} />
        ))}
      </div>
    </Card>
  );
}

function Legend() {
  return (
    <ul class="legend" aria-label={t("plan.legend")}>
      <li>
        <i class="dot on" aria-hidden="true" /> {t("plan.on")}
      </li>
      <li>
        <i class="dot off" aria-hidden="true" /> {t("plan.off")}
      </li>
      <li>
        <i class="dot unknown" aria-hidden="true" /> {t("plan.unknown")}
      </li>
    </ul>
  );
}

interface ZoneProps {
  zone: Zone;
  site: Site;
  channels: Channels;
  active: Finding[];
  worst: Map<string, Finding>;
}

const WORDS = { true: "present", false: "vacant", null: "unknown" } as const;
export const dot = (state: Tri): string => (state === null ? "unknown" : state ? "on" : "off");

function ZoneBox({ zone, site, channels, active, worst }: ZoneProps) {
  const within = <T extends { zone: string }>(things: T[]) => things.filter((thing) => thing.zone === zone.id);
  const state = present(site, channels, zone.id);
  const here = active.filter((f) => f.zone === zone.id);
  const counters = within(site.counters);
  const lamps = within(site.circuits).filter((c) => c.use === "lighting");
  const sockets = within(site.circuits).filter((c) => c.use !== "lighting");
  const acs = within(site.acs);
  const openings = within(site.openings);
  return (
    <section class={counters.length > 2 ? "zone large" : "zone"} aria-label={zone.name}>
      <div class="room">
        <header>
          <h3>
            <Raw>{zone.name}</Raw>
          </h3>
          <span class="zone-state">
            <i class={`dot ${dot(state)}`} aria-hidden="true" />
            {t(`plan.zone.${WORDS[String(state) as keyof typeof WORDS]}`)}
          </span>
          <Air site={site} channels={channels} zone={zone.id} />
          {here.length > 0 && (
            <span class="zone-tally">
              <Tally items={here} />
            </span>
          )}
        </header>
        {lamps.length > 0 && (
          <ul class="lamps" aria-label={t("plan.lights")}>
            {lamps.map((c) => (
              <Lamp key={c.id} circuit={c} channels={channels} finding={worst.get(c.id)} />
            ))}
          </ul>
        )}
        {counters.length > 0 && (
          <ul class="desks" aria-label={t("plan.counters")}>
            {counters.map((c) => (
              <Counter key={c.id} counter={c} channels={channels} finding={worst.get(c.id)} />
            ))}
          </ul>
        )}
        {(acs.length > 0 || sockets.length > 0) && (
          <div class="plant">
            {acs.length > 0 && (
              <ul aria-label={t("plan.acs")}>
                {acs.map((ac) => (
                  <AirCon key={ac.id} ac={ac} channels={channels} finding={worst.get(ac.id)} />
                ))}
              </ul>
            )}
            {sockets.length > 0 && (
              <ul aria-label={t("plan.sockets")}>
                {sockets.map((c) => (
                  <Socket key={c.id} circuit={c} channels={channels} finding={worst.get(c.id)} />
                ))}
              </ul>
            )}
          </div>
        )}
      </div>
      {openings.length > 0 && (
        <ul class="wall" aria-label={t("plan.openings")}>
          {openings.map((o) => (
            <Opening key={o.id} opening={o} channels={channels} finding={worst.get(o.id)} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Air({ site, channels, zone }: { site: Site; channels: Channels; zone: string }) {
  const { c, rh } = climate(site, channels, zone);
  const lx = brightest(site, channels, zone);
  const tripped = detected(site, channels, zone);
  const parts = [
    c !== null && t("plan.climate", { c: c.toFixed(1) }),
    rh !== null && t("plan.humidity", { rh: Math.round(rh) }),
    lx !== null && t("plan.lux", { n: Math.round(lx) }),
    ...tripped.map((what) => t("plan.tripped", { what: t(`detector.${what as "smoke"}`) })),
  ].filter(Boolean);
  return <span class="zone-air">{parts.join(" · ")}</span>;
}
