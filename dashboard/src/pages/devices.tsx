import { list } from "../api";
import { hallNow, useNow } from "../clock";
import { duration, ms, when } from "../format";
import { t, word } from "../i18n";
import { live } from "../live/stream";
import { useStore } from "../store";
import type { DeviceRow, Site } from "../types";
import { Card, Empty, Failed, Loading, Raw } from "../ui/card";
import { useFetched } from "../ui/fetch";
import { Sign } from "../ui/sign";
import { Outboxes } from "./devices/outboxes";

/** Which zone a device stands in: that of the first thing that names one of its channels. */
function placeOf(site: Site, id: string): string {
  const reads = (source: string | null | undefined) => source?.startsWith(`${id}/`) === true;
  const things: { zone: string; at: (string | null)[] }[] = [
    ...site.counters.map((c) => ({ zone: c.zone, at: [c.pad ? `${c.pad}/` : null, c.presence] })),
    ...site.openings.map((o) => ({ zone: o.zone, at: [o.contact, o.lock] })),
    ...site.circuits.map((c) => ({ zone: c.zone, at: [c.meter, c.relay] })),
    ...site.acs.map((a) => ({ zone: a.zone, at: [a.source, a.control] })),
    ...site.sensors.map((s) => ({ zone: s.zone, at: [s.source] })),
  ];
  return things.find((thing) => thing.at.some(reads))?.zone ?? "";
}

/** 设备: by place; last word, what is stored, held, missing and lost. */
export function Devices() {
  const site = useStore(live, (l) => l.site);
  const turn = Math.floor(useNow(15_000) / 60_000);
  const { data, fault, reload } = useFetched(() => list<DeviceRow>("/devices"), [turn]);
  if (fault && !data) {
    return (
      <Card title={t("dev.title")}>
        <Failed fault={fault} retry={reload} />
      </Card>
    );
  }
  if (!data || !site) {
    return (
      <Card title={t("dev.title")}>
        <Loading rows={6} />
      </Card>
    );
  }
  const zones = [...site.zones, { id: "", name: t("dev.nowhere") }];
  const groups = zones.map((zone) => ({ zone, rows: data.filter((d) => placeOf(site, d.id) === zone.id) }));
  return (
    <div class="stack">
      {data.length === 0 && <Empty>{t("common.missing")}</Empty>}
      {groups
        .filter((g) => g.rows.length)
        .map(({ zone, rows }) => (
          <section class="card" key={zone.id} aria-label={zone.name}>
            <header class="card-head">
              <h2>
                <Raw>{zone.name}</Raw>
              </h2>
              <span class="card-aside">
                {rows.filter((d) => !d.silent).length}/{rows.length} {t("dev.online")}
              </span>
            </header>
            <ul class="dev-grid">
              {rows.map((d) => (
                <Device key={d.id} row={d} kind={site.devices.find((x) => x.id === d.id)?.kind ?? d.kind ?? ""} />
              ))}
            </ul>
          </section>
        ))}
      <Outboxes />
    </div>
  );
}

const count = (of: DeviceRow["lost"] | DeviceRow["missing"]): number =>
  typeof of === "number" ? of : (of ?? []).reduce((sum, [a, b]) => sum + b - a + 1, 0);

function Device({ row, kind }: { row: DeviceRow; kind: string }) {
  const told = useStore(live, (l) => l.devices[row.id]);
  const silent = told?.silent ?? row.silent ?? false;
  const last = told?.last ?? row.last_seen;
  const state = !last ? "never" : silent ? "silent" : (told?.state ?? row.state ?? "ready");
  const facts: [string, string | number | undefined | null][] = [
    [t("dev.stored"), row.stored],
    [t("dev.duplicates"), row.duplicates || null],
    [t("dev.missing"), count(row.missing) || null],
    [t("dev.gone"), count(row.lost) || null],
    [t("dev.rejected"), row.rejected || null],
    [t("dev.boot"), row.boot],
  ];
  return (
    <li class={`dev${silent ? " silent" : ""}`}>
      <div class="dev-head">
        {silent ? <Sign of="warning" label={false} /> : <i class="dot on" aria-hidden="true" />}
        <b>
          <Raw>{row.id}</Raw>
        </b>
        <span class="second">{word("kind", kind)}</span>
        <span class="state">{word("dev", state)}</span>
      </div>
      <span class="second">
        {last
          ? t("dev.last", { at: when(last, hallNow()), ago: duration(hallNow() - ms(last)) })
          : t("dev.neverLong")}
        {row.power === "battery" && ` · ${t("dev.battery")}`}
      </span>
      <dl>
        {facts.map(
          ([name, value]) =>
            value !== null &&
            value !== undefined && (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
      </dl>
    </li>
  );
}
