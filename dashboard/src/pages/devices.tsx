import { list, person } from "../api";
import { useNow } from "../clock";
import { t } from "../i18n";
import { live } from "../live/stream";
import { createStore, useStore } from "../store";
import type { DeviceRow } from "../types";
import { Card, Empty, Failed, Loading, Raw } from "../ui/card";
import { useFetched } from "../ui/fetch";
import { Device } from "./devices/card";
import { Certificates } from "./devices/certificates";
import { DeviceDetail } from "./devices/detail";
import { attention, placeOf, stateOf } from "./devices/model";
import { Outboxes } from "./devices/outboxes";
import { Refused } from "./devices/refused";

const SHOWS = ["all", "attention", "silent", "work"] as const;
type Show = (typeof SHOWS)[number];

/** Kept while one looks at a device and comes back. */
const showing = createStore<Show>("all");

/** 设备: by place; one device's own page. */
export function Devices({ rest }: { rest: string[] }) {
  return rest[0] ? <DeviceDetail id={rest[0]} key={rest[0]} /> : <Every />;
}

function Every() {
  const site = useStore(live, (l) => l.site);
  const told = useStore(live, (l) => l.devices);
  const me = useStore(person, (p) => p);
  const show = useStore(showing, (s) => s);
  const turn = Math.floor(useNow(15_000) / 15_000);
  const { data, fault, reload } = useFetched(() => list<DeviceRow>("/devices"), [turn]);
  const within: Record<Show, (d: DeviceRow) => boolean> = {
    all: () => true,
    attention: (d) => attention(d, told[d.id]),
    silent: (d) => stateOf(d, told[d.id]).silent,
    work: (d) => d.maintenance !== null,
  };
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
  const shown = data.filter(within[show]);
  const zones = [...site.zones, { id: "", name: t("dev.nowhere") }];
  const groups = zones.map((zone) => ({ zone, rows: shown.filter((d) => placeOf(site, d.id) === zone.id) }));
  const online = (rows: DeviceRow[]) => rows.filter((d) => !stateOf(d, told[d.id]).silent).length;
  return (
    <div class="stack">
      <div class="page-head">
        <p class="page-title">
          {t("dev.title")}{" "}
          <span class="second">
            {online(data)}/{data.length} {t("dev.online")}
          </span>
        </p>
        <div class="segments" role="group" aria-label={t("dev.filter")}>
          {SHOWS.map((name) => (
            <button key={name} type="button" aria-pressed={show === name} onClick={() => showing.set(name)}>
              {t(`dev.show.${name}`)} {data.filter(within[name]).length}
            </button>
          ))}
        </div>
      </div>
      {shown.length === 0 && (
        <section class="card" aria-label={t(`dev.show.${show}`)}>
          <Empty>{t(`dev.none.${show}`)}</Empty>
        </section>
      )}
      {groups
        .filter((g) => g.rows.length)
        .map(({ zone, rows }) => (
          <section class="card" key={zone.id} aria-label={zone.name}>
            <header class="card-head">
              <h2>{zone.id ? <Raw>{zone.name}</Raw> : zone.name}</h2>
              <span class="card-aside">
                {online(rows)}/{rows.length} {t("dev.online")}
              </span>
            </header>
            <ul class="dev-grid">
              {rows.map((d) => (
                <Device key={d.id} row={d} />
              ))}
            </ul>
          </section>
        ))}
      {me && !["viewer", "counter"].includes(me.role) && (
        <>
          <Certificates turn={turn} />
          <Refused turn={turn} />
        </>
      )}
      <Outboxes />
    </div>
  );
}
