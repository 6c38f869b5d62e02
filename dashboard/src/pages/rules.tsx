import { useEffect } from "preact/hooks";
import { list, query } from "../api";
import { hallNow } from "../clock";
import { dateOf, hold, iso, midnight } from "../format";
import { formulaOf, ruleTitle, t, word } from "../i18n";
import { cite } from "../live/names";
import type { Finding, RuleRow } from "../types";
import { Card, Empty, Failed, Loading, Raw } from "../ui/card";
import { useFetched } from "../ui/fetch";
import { Sign } from "../ui/sign";

/** 规则: the rulebook as it runs here, law and proposed values told apart. */
export function Rules({ rest }: { rest: string[] }) {
  const { data, fault, reload } = useFetched(() => list<RuleRow>("/rules"), []);
  const month = useFetched(() => {
    const first = midnight(`${dateOf(hallNow()).slice(0, 7)}-01`);
    return list<Finding>(`/findings${query({ from: iso(first) })}`);
  }, []);
  useEffect(() => {
    if (rest[0] && data) document.getElementById(`rule-${rest[0]}`)?.scrollIntoView();
  }, [rest[0], data]);
  return (
    <Card title={t("rules.title")} aside={<Key />}>
      {fault && !data ? (
        <Failed fault={fault} retry={reload} />
      ) : !data ? (
        <Loading rows={8} />
      ) : data.length ? (
        <ul class="rule-list">
          {data.map((rule) => (
            <RuleItem
              key={rule.id}
              rule={rule}
              target={rest[0] === rule.id}
              found={month.data?.filter((f) => f.rule === rule.id).length ?? null}
            />
          ))}
        </ul>
      ) : (
        <Empty>{t("common.missing")}</Empty>
      )}
    </Card>
  );
}

function Key() {
  return (
    <span class="faint">
      <Is of="law" /> {t("rules.law")} <Is of="proposed" /> {t("rules.proposed")}
    </span>
  );
}

function Is({ of }: { of: "law" | "proposed" | null }) {
  return of && <span class={`tag ${of}`}>{t(`is.${of}`)}</span>;
}

function tells(of: string | string[]): string {
  const names = Array.isArray(of) ? of : of.split(/[,+&]\s*|\s+/).filter(Boolean);
  return names.map((name) => word("role", name)).join(t("common.list"));
}

/** Past its validity a rule runs on, and says so, until an administrator ends it (rulebook X6). */
function lapsed(rule: RuleRow): boolean {
  const end = rule.in_force?.[1];
  return !!end && end <= dateOf(hallNow());
}

/** The formula with today's values in place of the names of its settings. */
function withValues(rule: RuleRow): string {
  return rule.settings.reduce((f, s) => f.replace(new RegExp(`\\b${s.key}\\b`), String(s.value)), formulaOf(rule));
}

function RuleItem({ rule, target, found }: { rule: RuleRow; target: boolean; found: number | null }) {
  return (
    <li id={`rule-${rule.id}`} class={target ? "target" : ""}>
      <div>
        <div class="rule-head">
          <Sign of={rule.severity} />
          <h3>{ruleTitle(rule.id)}</h3>
          <Raw class="faint">{rule.id}</Raw>
          {lapsed(rule) && <span class="tag lapsed">{t("is.lapsed", { at: rule.in_force?.[1] ?? "" })}</span>}
          {rule.enabled === false && <span class="tag">{t("is.off")}</span>}
        </div>
        <ul class="articles">
          {rule.cites.map((c) => (
            <li key={c.text}>
              {cite(c.text)}
              {c.words && (
                <blockquote>
                  <Raw>“{c.words}”</Raw>
                </blockquote>
              )}
            </li>
          ))}
        </ul>
      </div>
      <div>
        <p class="formula">
          <Raw>{withValues(rule)}</Raw>
        </p>
        <dl class="rule-facts">
          {rule.hold && (
            <>
              <dt>{t("rules.hold")}</dt>
              <dd>
                {hold(rule.hold)}
                <Is of={rule.hold_is} />
              </dd>
            </>
          )}
          {rule.settings.map((s) => [
            <dt key={`k${s.key}`}>{word("setting", s.key)}</dt>,
            <dd key={s.key}>
              <Raw>{String(s.value)}</Raw>
              <Is of={s.is} />
            </dd>,
          ])}
          <dt>{t("rules.tells")}</dt>
          <dd>{tells(rule.tells)}</dd>
          {rule.acts && (
            <>
              <dt>{t("rules.acts")}</dt>
              <dd>{word("acts", rule.acts)}</dd>
            </>
          )}
          {found !== null && (
            <>
              <dt>{t("rules.month")}</dt>
              <dd>{t("rules.found", { n: found })}</dd>
            </>
          )}
        </dl>
      </div>
    </li>
  );
}
