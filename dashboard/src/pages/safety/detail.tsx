import { ApiError, get, list } from "../../api";
import { hallNow } from "../../clock";
import { when } from "../../format";
import { formulaOf, ruleTitle, t, useLang, word } from "../../i18n";
import { cite, subjectOf } from "../../live/names";
import { live } from "../../live/stream";
import { href } from "../../route";
import { useStore } from "../../store";
import type { EvidencePart, Finding, RuleRow } from "../../types";
import { Card, Empty, Failed, Loading, Raw } from "../../ui/card";
import { useFetched } from "../../ui/fetch";
import { Sign } from "../../ui/sign";
import { Lasting, Since } from "../../ui/time";
import { Signals } from "./signals";

async function load(id: string): Promise<Finding | null> {
  try {
    return await get<Finding>(`/findings/${encodeURIComponent(id)}`);
  } catch (fault) {
    if (!(fault instanceof ApiError && fault.status === 404)) throw fault;
    return live.get().findings[id] ?? null;
  }
}

/** Why: the evidence, the formula's parts, the articles in their words, the signals around it. */
export function FindingDetail({ id }: { id: string }) {
  const fresh = useStore(live, (l) => l.findings[id]);
  const { data, fault, reload } = useFetched(() => load(id), [id]);
  const rule = useFetched(() => list<RuleRow>("/rules"), []);
  const finding = fresh ?? data;
  return (
    <div class="stack">
      <p>
        <a href={href("safety")}>← {t("nav.safety")}</a>
      </p>
      {finding ? (
        <Body finding={finding} rule={rule.data?.find((r) => r.id === finding.rule)} />
      ) : fault ? (
        <Failed fault={fault} retry={reload} />
      ) : data === null ? (
        <Card title={t("safety.finding")}>
          <Loading rows={5} />
        </Card>
      ) : null}
    </div>
  );
}

function Body({ finding, rule }: { finding: Finding; rule: RuleRow | undefined }) {
  const site = useStore(live, (l) => l.site);
  const { name, place } = subjectOf(site, finding.subject, finding.zone);
  const title = ruleTitle(finding.rule);
  return (
    <>
      <div class={`card headline ${finding.severity}`}>
        <Sign of={finding.severity} size={14} />
        <h2>
          <Raw>{name}</Raw> · {title}
        </h2>
        <p class="second">
          {place && (
            <>
              <Raw>{place}</Raw> ·{" "}
            </>
          )}
          <Since at={finding.since} /> · <Lasting since={finding.since} end={finding.end} />
          {" · "}
          {finding.end ? t("find.ended", { at: when(finding.end, hallNow()) }) : word("find", finding.state)}
          {finding.closed_by && (
            <>
              {" · "}
              <Raw>{`${finding.closed_by}: ${finding.closed_why ?? ""}`}</Raw>
            </>
          )}
        </p>
      </div>
      <Why finding={finding} rule={rule} signals />
    </>
  );
}

/** Evidence, articles and signals of one finding, also inside an alert's detail. What stands in the
 * ledger has neither sensors nor a formula. */
export function Why({ finding, rule, signals }: { finding: Finding; rule: RuleRow | undefined; signals: boolean }) {
  return (
    <>
      <div class={signals ? "pair" : "stack"}>
        {signals && <Evidence finding={finding} rule={rule} />}
        <Articles finding={finding} rule={rule} />
      </div>
      {signals && <Signals finding={finding} />}
    </>
  );
}

const MARK = { true: "✓", false: "✗", null: "?" } as const;
const MARK_WORD = { true: "find.holds", false: "find.not", null: "find.unknown" } as const;

function Evidence({ finding, rule }: { finding: Finding; rule: RuleRow | undefined }) {
  const zh = useLang() === "zh";
  const site = useStore(live, (l) => l.site);
  const { evidence } = finding;
  const point = (id: string) => site?.checkpoints.find((c) => c.id === id)?.name ?? id;
  const parts = Array.isArray(evidence.parts) ? evidence.parts : [];
  const sentence = zh ? evidence.zh : evidence.en;
  const text = (p: EvidencePart) => (zh ? (p.text_zh ?? p.zh) : (p.text_en ?? p.en)) ?? p.channel ?? "";
  return (
    <Card title={t("find.evidence")}>
      {sentence && (
        <p class="sentence">
          <Raw>{sentence}</Raw>
        </p>
      )}
      {parts.length > 0 && (
        <ul class="parts">
          {parts.map((p, i) => {
            const key = String(p.value === undefined ? true : p.value) as keyof typeof MARK;
            return (
              <li key={i}>
                <span class="mark" aria-hidden="true">
                  {MARK[key]}
                </span>
                <span>
                  <span class="sr">{t(MARK_WORD[key])} </span>
                  <Raw>{text(p)}</Raw>
                </span>
                <span class="second">{p.since && t("common.since", { at: when(p.since, hallNow()) })}</span>
              </li>
            );
          })}
        </ul>
      )}
      {evidence.missed && (
        <p>
          {t("find.missed")} <Raw>{evidence.missed.map(point).join(t("common.list"))}</Raw>
        </p>
      )}
      {rule && (
        <p class="formula">
          <Raw>{formulaOf(rule)}</Raw>
        </p>
      )}
      {!sentence && !parts.length && !evidence.missed && <Empty>{t("find.noEvidence")}</Empty>}
    </Card>
  );
}

function Articles({ finding, rule }: { finding: Finding; rule: RuleRow | undefined }) {
  return (
    <Card title={t("find.articles")} aside={<a href={href("rules", finding.rule)}>{t("nav.rules")}</a>}>
      {finding.cites.length === 0 && <Empty>{t("find.noArticle")}</Empty>}
      <ul class="articles">
        {finding.cites.map((text) => {
          const words = rule?.cites.find((c) => c.text === text)?.words;
          return (
            <li key={text}>
              <b>{cite(text)}</b>
              {words && (
                <blockquote>
                  <Raw>“{words}”</Raw>
                </blockquote>
              )}
            </li>
          );
        })}
      </ul>
    </Card>
  );
}
