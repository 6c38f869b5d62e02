import { list, query } from "../../api";
import { dateOf, hm, iso, when } from "../../format";
import { hallNow } from "../../clock";
import { t, word } from "../../i18n";
import { live } from "../../live/stream";
import { useStore } from "../../store";
import type { Round } from "../../types";
import { Card, Empty, Failed, Loading, Raw } from "../../ui/card";
import { useFetched } from "../../ui/fetch";
import { Sign } from "../../ui/sign";
import type { Range } from "../../ui/range";

/** Rounds due, done, late and missed; each checkpoint with its tap; flags as they were kept. */
export function PatrolBoard({ range }: { range: Range }) {
  const site = useStore(live, (l) => l.site);
  const { data, fault, reload } = useFetched(
    () => list<Round>(`/patrols${query({ from: iso(range.from), to: iso(range.to) })}`),
    [range],
  );
  if (fault && !data) {
    return (
      <Card title={t("patrol.title")}>
        <Failed fault={fault} retry={reload} />
      </Card>
    );
  }
  const name = (id: string) => site?.checkpoints.find((c) => c.id === id)?.name ?? id;
  const rounds = [...(data ?? [])].reverse();
  return (
    <Card title={t("patrol.title")}>
      {!data ? (
        <Loading />
      ) : !rounds.length ? (
        <Empty>{t("patrol.none")}</Empty>
      ) : (
        <ul class="round-list">
          {rounds.map((r) => (
            <li key={r.route + r.begin} class={r.state === "missed" ? "warning" : ""}>
              <span class="round-name">
                <b>
                  <Raw>{site?.routes.find((x) => x.id === r.route)?.name ?? r.route}</Raw>
                </b>
                <span class="second">
                  {dateOf(r.begin) !== dateOf(hallNow()) && `${dateOf(r.begin).slice(5)} `}
                  {hm(r.begin)}–{hm(r.end)}
                </span>
              </span>
              <span class={`round-state ${r.state}`}>
                {r.state === "missed" && <Sign of="warning" label={false} />}
                {word("patrol", r.state)}
              </span>
              <ol class="points">
                {r.checkpoints.map((c) => (
                  <li key={c.id}>
                    <i class={`dot ${c.at ? "on" : "off"}`} aria-hidden="true" />
                    <Raw>{name(c.id)}</Raw>
                    <span class="second">{c.at ? when(c.at, hallNow()) : "—"}</span>
                  </li>
                ))}
              </ol>
              {r.flags && r.flags.length > 0 && (
                <span class="faint round-flags">
                  {r.flags.map((f, i) => (
                    <span key={i}>
                      {word("flag", f.what)} <Raw>{f.checkpoint ? name(f.checkpoint) : ""}</Raw> {hm(f.at)}
                    </span>
                  ))}
                </span>
              )}
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}
