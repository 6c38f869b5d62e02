import { ApiError, list, person } from "../../api";
import { hallNow } from "../../clock";
import { hms, when } from "../../format";
import { t, word } from "../../i18n";
import { live } from "../../live/stream";
import { useStore } from "../../store";
import type { CommandRow, DeviceRow } from "../../types";
import { Card, Empty, Loading, Raw } from "../../ui/card";
import { useFetched } from "../../ui/fetch";
import { Form } from "../../ui/form";
import { Sign } from "../../ui/sign";
import { mayPermit, mayServe } from "../duty/may";
import { hasRelays } from "./model";
import { Maintenance } from "./work";

const MOST = 10;

/** Null for those who may not ask. */
async function orders(id: string): Promise<CommandRow[] | null> {
  try {
    const query = `?device=${encodeURIComponent(id)}&everything=true&limit=${MOST}`;
    return await list<CommandRow>(`/commands${query}`, 1);
  } catch (why) {
    if (why instanceof ApiError && why.status === 403) return null;
    throw why;
  }
}

/** What may be asked of a device by this role, and what became of what was asked. */
export function Acts({ row, reload }: { row: DeviceRow; reload: () => void }) {
  const me = useStore(person, (p) => p);
  const site = useStore(live, (l) => l.site);
  const ordered = useStore(live, (l) => l.ordered);
  const { data, reload: again } = useFetched(() => orders(row.id), [row.id, ordered]);
  const path = (what: string) => `/devices/${encodeURIComponent(row.id)}/${what}`;
  const form = { denied: t("common.forbidden"), done: again };
  return (
    <>
      {mayServe(me) && (
        <Card title={t("dev.act")}>
          <div class="dev-acts">
            <div class="dev-act">
              <h3>{t("dev.identify")}</h3>
              <p class="second">{t("dev.identify.note")}</p>
              <Form path={path("identify")} body={() => ({})} go={t("dev.identify")} {...form}>
                {null}
              </Form>
              <Latest of={data} what="identify" />
            </div>
            {mayPermit(me) && (
              <>
                <div class="dev-act">
                  <h3>{t("dev.restart")}</h3>
                  <p class="second">
                    {t("dev.restart.note")}
                    {site && hasRelays(site, row.id) && (
                      <>
                        <br />
                        {t("dev.restart.relays")}
                      </>
                    )}
                  </p>
                  <Form path={path("restart")} body={(f) => ({ reason: f.get("reason") })} go={t("dev.restart")} {...form}>
                    <label>
                      {t("alert.reason")}
                      <input name="reason" required maxLength={500} pattern=".*\S.*" />
                    </label>
                  </Form>
                  <Latest of={data} what="restart" />
                </div>
                <Maintenance id={row.id} work={row.maintenance} done={reload} />
              </>
            )}
          </div>
        </Card>
      )}
      {data !== null && <Orders rows={data} />}
    </>
  );
}

/** What became of the newest command of a kind; a screen reader hears it change. */
function Latest({ of, what }: { of: CommandRow[] | null; what: string }) {
  const row = of?.find((c) => c.do === what);
  return (
    <p class="dev-latest" role="status">
      {row && <Became row={row} />}
    </p>
  );
}

const WRONG = new Set(["refused", "expired", "failed"]);

function Became({ row }: { row: CommandRow }) {
  return (
    <>
      {WRONG.has(row.state) && <Sign of="warning" label={false} />} {word("dev.order", row.state)}{" "}
      <span class="second">{hms(row.answered_at ?? row.made_at)}</span>
    </>
  );
}

function Orders({ rows }: { rows: CommandRow[] | undefined }) {
  return (
    <Card title={t("dev.orders")}>
      {!rows ? (
        <Loading rows={2} />
      ) : rows.length === 0 ? (
        <Empty>{t("dev.noOrders")}</Empty>
      ) : (
        <ul class="check">
          {rows.map((c) => (
            <li key={c.id}>
              <span>
                {word("do", c.do)} <Raw class="second">{[c.ch, c.person].filter(Boolean).join(" · ")}</Raw>
              </span>
              <span class="second">
                {when(c.made_at, hallNow())} <Became row={c} />
              </span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
