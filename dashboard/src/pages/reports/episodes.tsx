import { useState } from "preact/hooks";
import { list, post } from "../../api";
import { dateOf, hm } from "../../format";
import { ruleTitle, t, word } from "../../i18n";
import { live } from "../../live/stream";
import { subjectOf } from "../../live/names";
import { findingHref } from "../../route";
import { useStore } from "../../store";
import type { Episode } from "../../types";
import { Card, Empty, Failed, Loading, Raw, whyOf } from "../../ui/card";
import { useFetched } from "../../ui/fetch";

const MOST = 20;

/** What the sensors propose for 厉行节约 ①②③, to be confirmed or rejected one by one. */
export function Episodes({ period, changed }: { period: string; changed: () => void }) {
  const { data, fault, reload } = useFetched(
    () => list<Episode>(`/sheets/episodes?period=${period}&state=open`),
    [period],
  );
  const done = () => {
    reload();
    changed();
  };
  return (
    <Card title={t("reports.episodes")} class="no-print" aside={data && <span class="second">n {data.length}</span>}>
      <p class="second">{t("reports.episodesWhy")}</p>
      {fault && !data ? (
        <Failed fault={fault} retry={reload} />
      ) : !data ? (
        <Loading />
      ) : data.length ? (
        <ul class="episodes">
          {data.slice(0, MOST).map((episode) => (
            <Row key={episode.finding} episode={episode} done={done} />
          ))}
        </ul>
      ) : (
        <Empty>{t("reports.noEpisodes")}</Empty>
      )}
      {data && data.length > MOST && <p class="second">{t("reports.more", { n: data.length - MOST })}</p>}
    </Card>
  );
}

function Row({ episode, done }: { episode: Episode; done: () => void }) {
  const site = useStore(live, (l) => l.site);
  const [unit, setUnit] = useState(episode.unit ?? "");
  const [fault, setFault] = useState("");
  const counters = site?.counters.filter((c) => !episode.zone || c.zone === episode.zone) ?? [];
  const zones = site?.zones.filter((z) => !episode.zone || z.id === episode.zone) ?? [];
  const title = ruleTitle(episode.rule);
  const say = (decision: "confirm" | "reject") => {
    setFault("");
    post(`/sheets/episodes/${episode.finding}`, decision === "confirm" ? { decision, unit } : { decision }).then(
      done,
      (why: unknown) => setFault(t("common.failed", { why: whyOf(why) })),
    );
  };
  return (
    <li>
      <span class="episode-what">
        <a href={findingHref(episode.finding)}>
          <b>{title}</b>
        </a>
        <span class="second">
          <Raw>{subjectOf(site, episode.subject, episode.zone).name}</Raw>
          {` · ${dateOf(episode.start)} ${hm(episode.start)}`}
          {episode.end && `–${hm(episode.end)}`}
          {` · ${word("item", episode.item)}`}
        </span>
      </span>
      <label class="episode-unit">
        <span class="sr">{t("reports.unit")}</span>
        <select value={unit} translate={false} onChange={(e) => setUnit(e.currentTarget.value)}>
          <option value="">{t("reports.unit")}</option>
          {[...counters, ...zones].map((u) => (
            <option key={u.id} value={u.id}>
              {u.name}
            </option>
          ))}
        </select>
      </label>
      <span class="actions">
        <button type="button" class="button" disabled={!unit} onClick={() => say("confirm")}>
          {t("reports.confirm")}
        </button>
        <button type="button" class="button" onClick={() => say("reject")}>
          {t("reports.reject")}
        </button>
      </span>
      <span class="form-fault" role="alert">
        {fault}
      </span>
    </li>
  );
}
