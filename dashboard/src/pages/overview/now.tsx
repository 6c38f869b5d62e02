import { list } from "../../api";
import { hallNow } from "../../clock";
import { DAY, iso, when } from "../../format";
import { ruleTitle, t } from "../../i18n";
import { citeAll, subjectOf } from "../../live/names";
import { activeFindings } from "../../live/state";
import { live } from "../../live/stream";
import { findingHref, href } from "../../route";
import { useStore } from "../../store";
import type { Finding } from "../../types";
import { Card, Empty, Loading, Raw } from "../../ui/card";
import { useFetched } from "../../ui/fetch";
import { Sign, Tally } from "../../ui/sign";
import { Lasting, Since } from "../../ui/time";

const MOST = 8;

/** The findings that hold now, worst first. */
export function NowCard() {
  const site = useStore(live, (l) => l.site);
  const findings = useStore(live, (l) => l.findings);
  const active = activeFindings(findings);
  return (
    <Card title={t("now.title")} class="now" aside={<Tally items={active} />}>
      {!site ? <Loading rows={5} /> : active.length ? <Rows active={active} /> : <Quiet />}
      <a class="card-more" href={href("alerts")}>
        {t("now.all")}
        {active.length > MOST && ` (${active.length})`}
      </a>
    </Card>
  );
}

function Rows({ active }: { active: Finding[] }) {
  const site = useStore(live, (l) => l.site);
  return (
    <ul class="rows">
      {active.slice(0, MOST).map((f) => {
        const { name, place } = subjectOf(site, f.subject, f.zone);
        return (
          <li key={f.id}>
            <a href={findingHref(f.id)} class={`row ${f.severity}`}>
              <Sign of={f.severity} />
              <span class="row-title">
                <b>{ruleTitle(f.rule)}</b>
                <span class="second">
                  <Raw>{place ? `${name} · ${place}` : name}</Raw>
                </span>
              </span>
              <span class="row-side">
                <Since at={f.since} />
                <Lasting since={f.since} />
              </span>
              {f.cites.length > 0 && <span class="row-cites faint">{citeAll(f.cites)}</span>}
            </a>
          </li>
        );
      })}
    </ul>
  );
}

/** What is normal, with the last thing that was not. */
function Quiet() {
  const site = useStore(live, (l) => l.site);
  const { data } = useFetched(async () => {
    const past = await list<Finding>(`/findings?active=false&from=${encodeURIComponent(iso(hallNow() - 7 * DAY))}`);
    return past.filter((f) => f.end).sort((a, b) => Date.parse(b.start) - Date.parse(a.start))[0] ?? null;
  }, []);
  if (!data) return <Empty>{t("now.none")}</Empty>;
  const { name } = subjectOf(site, data.subject, data.zone);
  const what = `${name} · ${ruleTitle(data.rule)}`;
  return (
    <Empty>
      <Raw>{t("now.noneLast", { at: when(data.start, hallNow()), what })}</Raw>
    </Empty>
  );
}
