import { get, list } from "../../api";
import { hallNow } from "../../clock";
import { when } from "../../format";
import { ruleTitle, t, word } from "../../i18n";
import { live } from "../../live/stream";
import { href } from "../../route";
import { useStore } from "../../store";
import type { Alert, Finding, RuleRow } from "../../types";
import { Card, Empty, Failed, Loading, Raw } from "../../ui/card";
import { useFetched } from "../../ui/fetch";
import { StateOf } from "../alerts";
import { Body } from "../safety/detail";
import { Actions } from "./actions";

async function load(id: string): Promise<Alert | null> {
  const known = live.get().alerts[id];
  if (known) return known;
  return (await list<Alert>("/alerts")).find((a) => a.id === id) ?? null;
}

/** One alert: what to do, then the finding that it tells of. */
export function AlertDetail({ id }: { id: string }) {
  const fresh = useStore(live, (l) => l.alerts[id]);
  const { data, fault, reload } = useFetched(async () => ({ alert: await load(id) }), [id]);
  const alert = fresh ?? data?.alert;
  return (
    <div class="stack">
      <p>
        <a href={href("alerts")}>← {t("nav.alerts")}</a>
      </p>
      {alert ? (
        <Told alert={alert} />
      ) : fault ? (
        <Failed fault={fault} retry={reload} />
      ) : data ? (
        <Empty>{t("alert.gone")}</Empty>
      ) : (
        <Card title={t("nav.alerts")}>
          <Loading rows={5} />
        </Card>
      )}
    </div>
  );
}

function Told({ alert }: { alert: Alert }) {
  const id = alert.finding ?? "";
  const { data } = useFetched(
    async () => (id ? get<Finding>(`/findings/${encodeURIComponent(id)}`).catch(() => null) : null),
    [id],
  );
  const rules = useFetched(() => list<RuleRow>("/rules"), []);
  const sent = alert.notifications ?? [];
  return (
    <>
      <Card title={ruleTitle(alert.rule)} aside={<StateOf alert={alert} />}>
        <Actions alert={alert} />
        {sent.length > 0 && (
          <ul class="check">
            {sent.map((n, i) => (
              <li key={i}>
                <span>
                  {word("role", n.to)} <Raw class="second">{n.channel ?? ""}</Raw>
                </span>
                <span class="second">
                  {when(n.at, hallNow())} {word("sent", n.state)}
                </span>
              </li>
            ))}
          </ul>
        )}
      </Card>
      {data && <Body finding={data} rule={rules.data?.find((r) => r.id === data.rule)} />}
    </>
  );
}
