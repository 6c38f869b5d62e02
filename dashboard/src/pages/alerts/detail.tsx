import { ApiError, get, list } from "../../api";
import { hallNow } from "../../clock";
import { when } from "../../format";
import { lang, ruleTitle, t, word } from "../../i18n";
import { inLedger, subjectOf, switchedBy } from "../../live/names";
import { live } from "../../live/stream";
import { href } from "../../route";
import { useStore } from "../../store";
import type { AlertStep, AlertWhole, CommandRow, Finding, Notification, RuleRow } from "../../types";
import { Card, Empty, Failed, Loading, Raw } from "../../ui/card";
import { useFetched } from "../../ui/fetch";
import { Sign } from "../../ui/sign";
import { Lasting, Since } from "../../ui/time";
import { Why } from "../safety/detail";
import { Actions } from "./actions";
import { StateOf } from "./state";

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
  const site = useStore(live, (l) => l.site);
  const kept = /^(case|duty|extinguisher|appointment)\./.test(alert.rule) ? inLedger(alert.subject) : null;
  const { name, place } = subjectOf(site, alert.subject, alert.zone);
  return (
    <>
      <section class={`card headline ${alert.severity}`} aria-labelledby="alert-title">
        <span class={alert.state === "unacknowledged" ? "flash-box" : ""}>
          <Sign of={alert.severity} size={14} />
        </span>
        <h2 id="alert-title">
          <Raw>{name}</Raw> · {ruleTitle(alert.rule)}
        </h2>
        <p class="second">
          {place && (
            <>
              <Raw>{place}</Raw> ·{" "}
            </>
          )}
          <Since at={alert.since} /> · <Lasting since={alert.since} end={alert.end ?? alert.returned_at ?? alert.closed_at} /> ·{" "}
          <StateOf alert={alert} />
        </p>
        <Actions alert={alert} />
        {kept && (
          <p>
            <a href={kept.at}>{t("alert.toLedger")}</a>
          </p>
        )}
      </section>
      {alert.about && <About of={alert.about} />}
      <div class="pair">
        <Sent of={alert.notifications ?? []} />
        <Past of={alert.history} />
      </div>
      <Switched cause={id} />
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
      {data && <Why finding={data} rule={rules.data?.find((r) => r.id === data.rule)} signals={!kept} />}
    </>
  );
}

/** What the gateway says of itself, by name. */
function About({ of }: { of: Record<string, unknown> }) {
  const said = (value: unknown): string => {
    const text = String(value);
    if (/^\d{4}-\d\d-\d\dT/.test(text)) return when(text, hallNow());
    const known = [word("about", text), word("role", text), word("do", text)].find((one) => one !== text);
    // a thing's name beside its channel is bracketed as the messages, which are Chinese, have it
    return known ?? (lang.get() === "zh" ? text : text.replace(/（(.*?)）/g, " ($1)"));
  };
  return (
    <Card title={t("alert.byWhom")}>
      <ul class="check">
        {Object.entries(of).map(([key, value]) => (
          <li key={key}>
            <span>{word("about", key)}</span>
            <Raw class="second">{(Array.isArray(value) ? value : [value]).map(said).join(t("common.list"))}</Raw>
          </li>
        ))}
      </ul>
    </Card>
  );
}

const UNSENT = new Set(["failed", "unaddressed"]);

function Sent({ of }: { of: Notification[] }) {
  if (!of.length) return null;
  return (
    <Card title={t("alert.told")}>
      <ul class="check">
        {of.map((n, i) => (
          <li key={i}>
            <span>
              {word("role", n.to)} <Raw class="second">{n.channel ?? ""}</Raw>
            </span>
            <span class="second">
              {when(n.at, hallNow())} {UNSENT.has(n.state) && <Sign of="warning" label={false} />} {word("sent", n.state)}
              {(n.tries ?? 0) > 1 && ` · ${t("alert.tries", { n: n.tries ?? 0 })}`}
              {n.answer && n.state === "failed" && (
                <>
                  {" · "}
                  <Raw>{n.answer}</Raw>
                </>
              )}
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Past({ of }: { of: AlertStep[] }) {
  if (!of.length) return null;
  return (
    <Card title={t("alert.past")}>
      <ul class="check">
        {of.map((h, i) => (
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
  );
}

/** What was switched because of it, and whether that was obeyed; nothing for those who may not ask. */
function Switched({ cause }: { cause: string }) {
  const site = useStore(live, (l) => l.site);
  const turned = useStore(live, (l) => l.turned);
  const { data } = useFetched(
    async () => (cause ? list<CommandRow>(`/commands?cause=${encodeURIComponent(cause)}`).catch(() => []) : []),
    [cause, turned],
  );
  if (!data?.length) return null;
  const name = (c: CommandRow) => switchedBy(site, `${c.device}/${c.ch ?? ""}`);
  return (
    <Card title={t("alert.switched")}>
      <ul class="check">
        {data.map((c) => (
          <li key={c.id}>
            <span>
              {word("do", c.do)} <Raw>{name(c)}</Raw>
            </span>
            <span class="second">
              {when(c.made_at, hallNow())} {ORDER_WRONG.has(c.state) && <Sign of="warning" label={false} />}{" "}
              {word("dev.order", c.state)}
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

const ORDER_WRONG = new Set(["refused", "expired", "failed"]);
