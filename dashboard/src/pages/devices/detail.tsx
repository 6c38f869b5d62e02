import { useEffect, useRef } from "preact/hooks";
import { ApiError, get } from "../../api";
import { hallNow, useNow } from "../../clock";
import { duration, when } from "../../format";
import { t, word } from "../../i18n";
import { live } from "../../live/stream";
import { href } from "../../route";
import { useStore } from "../../store";
import type { DeviceRow, DeviceWhole, LogRow } from "../../types";
import { Card, Empty, Failed, Loading, Raw } from "../../ui/card";
import { useFetched } from "../../ui/fetch";
import { Sign } from "../../ui/sign";
import { Acts } from "./acts";
import { FactLine, Heard, Line, StateSign } from "./card";
import { batteryOf, certificateOf, clockOf, isStale, placeOf, rangesOf, samplesOf, stateOf, thingAt } from "./model";
import { Refused } from "./refused";
import { Left } from "./work";

/** Null where the site file has no such device (any more). */
async function whole(id: string): Promise<DeviceWhole | null> {
  try {
    return await get<DeviceWhole>(`/devices/${encodeURIComponent(id)}`);
  } catch (why) {
    if (why instanceof ApiError && why.status === 404) return null;
    throw why;
  }
}

/** One device: how it stands, what may be done with it, what was refused of it. */
export function DeviceDetail({ id }: { id: string }) {
  const turn = Math.floor(useNow(5_000) / 5_000);
  const state = useStore(live, (l) => l.devices[id]?.state);
  const { data, fault, reload } = useFetched(async () => ({ row: await whole(id) }), [id, turn, state]);
  const back = useRef<HTMLAnchorElement>(null);
  useEffect(() => back.current?.focus(), []);
  return (
    <div class="stack">
      <p>
        <a href={href("devices")} ref={back}>
          ← {t("nav.devices")}
        </a>
      </p>
      {data?.row ? (
        <>
          <Stands row={data.row} />
          <Acts row={data.row} reload={reload} />
          <Refused turn={turn} device={id} />
          <Logs logs={data.row.logs.slice(1)} />
        </>
      ) : fault && !data ? (
        <Failed fault={fault} retry={reload} />
      ) : data ? (
        <Empty>{t("dev.gonePage")}</Empty>
      ) : (
        <Card title={t("dev.title")}>
          <Loading rows={6} />
        </Card>
      )}
    </div>
  );
}

function Stands({ row }: { row: DeviceRow }) {
  const site = useStore(live, (l) => l.site);
  const told = useStore(live, (l) => l.devices[row.id]);
  const { silent } = stateOf(row, told);
  const place = site?.zones.find((z) => z.id === placeOf(site, row.id))?.name ?? "";
  const health = row.health;
  return (
    <section class={`card dev-whole${silent ? " silent" : ""}`} aria-label={row.id}>
      <header class="card-head">
        <h2>
          <Raw>{row.id}</Raw> <span class="second">{word("kind", row.kind)}</span>
        </h2>
        <span class="card-aside dev-state">
          <Raw>{place}</Raw> <StateSign row={row} />
        </span>
      </header>
      <Heard row={row} />
      {row.maintenance && (
        <p class="dev-work">
          <Left work={row.maintenance} />
        </p>
      )}
      <div class="dev-two">
        <dl class="dev-facts wide">
          <FactLine name={t("dev.clock")} fact={clockOf(row)} />
          <Line name={t("dev.fw")}>
            <Raw>{row.fw ?? "—"}</Raw>
          </Line>
          <FactLine
            name={t("dev.power")}
            fact={batteryOf(row) ?? (row.power === "battery" ? null : { text: t("dev.mains"), bad: false })}
          />
          <FactLine name={t("dev.cert")} fact={certificateOf(row) ?? { text: t("dev.cert.none"), bad: false }} />
          {row.certificate?.renewing && <Line name="">{t("dev.cert.renewing")}</Line>}
          <Line name={t("dev.boot")}>{row.boot ?? "—"}</Line>
          {health?.reset && <Line name={t("dev.reset")}>{word("dev.reset", health.reset)}</Line>}
          {typeof health?.mem === "number" && (
            <Line name={t("dev.mem")}>
              <Raw>{Math.round(health.mem / 1024)} KiB</Raw>
            </Line>
          )}
          {typeof health?.rssi === "number" && (
            <Line name={t("dev.rssi")}>
              <Raw>{health.rssi} dBm</Raw>
            </Line>
          )}
        </dl>
        <dl class="dev-facts wide">
          <Line name={t("dev.held")}>{health?.held ?? "—"}</Line>
          <Line name={t("dev.dropped")}>{health?.dropped ?? "—"}</Line>
          <Line name={t("dev.missing")} bad={row.missing.length > 0}>
            {row.missing.length ? rangesOf(row.missing, 20) : "0"}
          </Line>
          <Line name={t("dev.gone")}>{row.lost}</Line>
          <Line name={t("dev.rejected")}>{row.rejected}</Line>
          <Line name={t("dev.stored")}>{row.stored}</Line>
          <Line name={t("dev.duplicates")}>{row.duplicates}</Line>
          <Line name={t("dev.seq")}>{row.seq ?? "—"}</Line>
          <Line name={t("dev.acked")}>{row.acked ?? "—"}</Line>
        </dl>
        <Ages row={row} />
      </div>
    </section>
  );
}

/** How long ago each channel was read when the device told of its health. */
function Ages({ row }: { row: DeviceRow }) {
  const site = useStore(live, (l) => l.site);
  const ages = Object.entries(row.health?.ages ?? {}).sort(([a], [b]) => a.localeCompare(b));
  return (
    <div>
      <h3>
        {t("dev.ages")}{" "}
        <span class="faint">{row.health && t("dev.reported", { at: when(row.health.at, hallNow()) })}</span>
      </h3>
      {!row.health ? (
        <p class="second">{t("dev.noHealth")}</p>
      ) : ages.length === 0 ? (
        <p class="second">{samplesOf(row)?.text ?? "—"}</p>
      ) : (
        <ul class="check">
          {ages.map(([ch, age]) => (
            <li key={ch}>
              <span>
                <Raw>
                  {ch} <span class="faint">{site ? thingAt(site, `${row.id}/${ch}`) : ""}</span>
                </Raw>
              </span>
              <span class="second">
                {isStale(row, age) && <Sign of="warning" label={false} />}{" "}
                {age === null ? t("dev.neverRead") : duration(age * 1000)}
              </span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Logs({ logs }: { logs: LogRow[] }) {
  if (!logs.length) return null;
  return (
    <Card title={t("dev.logOld")}>
      <ul class="check">
        {logs.map((one) => (
          <li key={one.log}>
            <Raw>{one.log ?? ""}</Raw>
            <span class="second">
              {t("dev.logLine", { seq: one.seq ?? 0, stored: one.stored, acked: one.acked ?? 0 })}
              {one.missing.length > 0 && ` · ${t("dev.missing")} ${rangesOf(one.missing, 5)}`}
              {one.lost > 0 && ` · ${t("dev.gone")} ${one.lost}`}
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
