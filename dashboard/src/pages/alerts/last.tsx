import { get } from "../../api";
import { hallNow } from "../../clock";
import { when } from "../../format";
import { ruleTitle, t, type Key } from "../../i18n";
import { subjectOf } from "../../live/names";
import { live } from "../../live/stream";
import { useStore } from "../../store";
import type { Alert } from "../../types";
import { Empty, Raw } from "../../ui/card";
import { useFetched } from "../../ui/fetch";

/** What is normal, with the last thing that was not. */
export function NoneNow({ none, last }: { none: Key; last: Key }) {
  const site = useStore(live, (l) => l.site);
  const { data } = useFetched(async () => (await get<{ items: Alert[] }>("/alerts?state=normal&limit=1")).items[0] ?? null, []);
  if (!data) return <Empty>{t(none)}</Empty>;
  const what = `${subjectOf(site, data.subject, data.zone).name} · ${ruleTitle(data.rule)}`;
  return (
    <Empty>
      <Raw>{t(last, { at: when(data.since, hallNow()), what })}</Raw>
    </Empty>
  );
}
