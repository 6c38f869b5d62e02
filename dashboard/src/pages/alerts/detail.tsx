import { ApiError, get, list } from "../../api";
import { hallNow } from "../../clock";
import { when } from "../../format";
import { ruleTitle, t, word } from "../../i18n";
import { inLedger, subjectOf } from "../../live/names";
import { live } from "../../live/stream";
import { href } from "../../route";
import { useStore } from "../../store";
import type { AlertWhole, Finding, RuleRow } from "../../types";
import { Card, Empty, Failed, Loading, Raw } from "../../ui/card";
import { useFetched } from "../../ui/fetch";
import { StateOf } from "../alerts";
import { Body } from "../safety/detail";
import { Actions } from "./actions";

/** Null where there is no such alert (any more). */
async function whole(id: string): Promise<AlertWhole | null> {
  try {
    return await get<AlertWhole>(`/alerts/${encodeURIComponent(id)}`);
  } catch (why) {
    if (why instanceof ApiError && why.status === 404) return null;
    throw why;
  }
}

/** One alert: what to do, then the finding that it tells of. */
export function AlertDetail({ id }: { id: string }) {
  const fresh = useStore(live, (l) => l.alerts[id]);
  const { data, fault, reload } = useFetched(
    async () => ({ alert: await whole(id) }),
    [id, fresh],
  );
  return (
    <div class="stack">
      <p>
        <a href={href("alerts")}>← {t("nav.alerts")}</a>
      </p>
      {data?.alert ? (
        <Told alert={data.alert} />
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

function Told({ alert }: { alert: AlertWhole }) {
  const id = alert.finding ?? "";
  const { data } = useFetched(
    async () => (id ? get<Finding>(`/findings/${encodeURIComponent(id)}`).catch(() => null) : null),
    [id],
  );
  const rules = useFetched(() => list<RuleRow>("/rules"), []);
  const sent = alert.notifications ?? [];
  const site = useStore(live, (l) => l.site);
  const kept = /^(case|duty|extinguisher|appointment)\./.test(alert.rule) ? inLedger(alert.subject) : null;
  return (
    <>
      <Card title={ruleTitle(alert.rule)} aside={<StateOf alert={alert} />}>
        <Actions alert={alert} />
        {kept && (
          <p>
            <a href={kept.at}>{t("alert.toLedger")}</a>
          </p>
        )}
        {sent.length > 0 && (
          <ul class="check">
            {sent.map((n, i) => (
              <li key={i}>
                <span>
                  {word("role", n.to)} <Raw class="second">{n.channel ?? ""}</Raw>
                </span>
                <span class="second">
                  {when(n.at, hallNow())} {word("sent", n.state)}
                  {(n.tries ?? 0) > 1 && ` · ${t("alert.tries", { n: n.tries ?? 0 })}`}
                </span>
              </li>
            ))}
          </ul>
        )}
      </Card>
      {alert.members.length > 0 && (
        <Card title={t("alert.members", { n: alert.members.length })}>
          <ul class="check">
            {alert.members.map((m) => (
              <li key={m.id}>
                <a href={href("alerts", m.id)}>
                  <Raw>{subjectOf(site, m.subject, null).name}</Raw>
                </a>
                <span class="second">{word("astate", m.state)}</span>
              </li>
            ))}
          </ul>
        </Card>
      )}
      {alert.history.length > 0 && (
        <Card title={t("alert.past")}>
          <ul class="check">
            {alert.history.map((h, i) => (
              <li key={i}>
                <span>
                  {word("log", `alert.${h.what}`)} <Raw class="second">{h.who ?? ""}</Raw>{" "}
                  <Raw class="second">{h.about ?? ""}</Raw>
                </span>
                <span class="second">
                  {when(h.at, hallNow())} {word("astate", h.state)}
                </span>
              </li>
            ))}
          </ul>
        </Card>
      )}
      {data && <Body finding={data} rule={rules.data?.find((r) => r.id === data.rule)} />}
    </>
  );
}
