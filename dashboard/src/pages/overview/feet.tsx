import { list, query } from "../../api";
import { useNow } from "../../clock";
import { addDays, hm, iso, midnight, MINUTE, ms } from "../../format";
import { t, word } from "../../i18n";
import { flag } from "../../live/read";
import { live } from "../../live/stream";
import { href } from "../../route";
import { useStore } from "../../store";
import type { Round, Site } from "../../types";
import { Card, Empty, Loading, Raw } from "../../ui/card";
import { useFetched } from "../../ui/fetch";

/** Exits: how many are closed, open, locked, unknown. A locked one is locked whatever its leaf does. */
export function ExitsCard() {
  const site = useStore(live, (l) => l.site);
  const channels = useStore(live, (l) => l.channels);
  const exits = site?.openings.filter((o) => o.kind === "exit") ?? [];
  const states = exits.map((exit) => {
    const locked = flag(channels, exit.lock, "locked");
    const open = flag(channels, exit.contact, "open");
    return locked ? "locked" : open === null ? "unknown" : open ? "open" : "closed";
  });
  const count = (state: string) => states.filter((s) => s === state).length;
  return (
    <Card title={t("exits.title")} class="foot" aside={<a href={href("safety")}>{t("nav.safety")}</a>}>
      {!site ? (
        <Loading rows={1} />
      ) : !exits.length ? (
        <Empty>{t("exits.none")}</Empty>
      ) : (
        <p class="counts">
          {(["closed", "open", "locked", "unknown"] as const)
            .filter((s) => s === "closed" || count(s) > 0)
            .map((s) => (
              <span key={s} class={s === "locked" ? "strong" : ""}>
                <b class="big">{count(s)}</b> {t(`exits.${s}`)}
              </span>
            ))}
        </p>
      )}
    </Card>
  );
}

export function PatrolCard() {
  const site = useStore(live, (l) => l.site);
  const date = useStore(live, (l) => l.day?.date);
  const turn = Math.floor(useNow(20_000) / (2 * MINUTE));
  const { data, fault } = useFetched(async () => {
    if (!date) return null;
    const from = midnight(date);
    return list<Round>(`/patrols${query({ from: iso(from), to: iso(midnight(addDays(date, 1))) })}`);
  }, [date, turn]);
  return (
    <Card title={t("patrol.title")} class="foot" aside={<a href={href("safety")}>{t("nav.safety")}</a>}>
      {data && site ? (
        data.length ? <Rounds rounds={data} site={site} /> : <Empty>{t("patrol.none")}</Empty>
      ) : fault ? (
        <Empty>{t("common.missing")}</Empty>
      ) : (
        <Loading rows={1} />
      )}
    </Card>
  );
}

/** The rounds that matter now: those not done first, the earliest first. */
function Rounds({ rounds, site }: { rounds: Round[]; site: Site }) {
  const open = rounds.filter((r) => r.state !== "done" && r.state !== "late");
  const shown = (open.length ? open : rounds).sort((a, b) => ms(a.begin) - ms(b.begin)).slice(0, 2);
  return (
    <ul class="rounds">
      {shown.map((round) => (
        <li key={round.route + round.begin} class={round.state === "missed" ? "warning" : ""}>
          <Raw class="name">{site.routes.find((r) => r.id === round.route)?.name ?? round.route}</Raw>
          <span>
            {hm(round.begin)}–{hm(round.end)}
          </span>
          <span>
            <b>
              {round.checkpoints.filter((c) => c.at).length}/{round.checkpoints.length}
            </b>{" "}
            {word("patrol", round.state)}
          </span>
        </li>
      ))}
    </ul>
  );
}

export function DevicesCard() {
  const devices = useStore(live, (l) => l.devices);
  const site = useStore(live, (l) => l.site);
  const all = site?.devices.length ?? Object.keys(devices).length;
  const online = Object.values(devices).filter((d) => !d.silent).length;
  return (
    <Card title={t("dev.title")} class="foot" aside={<a href={href("devices")}>{t("nav.devices")}</a>}>
      {!site ? (
        <Loading rows={1} />
      ) : (
        <p class="counts">
          <span>
            <b class="big">
              {online}
              <span class="of">/{all}</span>
            </b>{" "}
            {t("dev.online")}
          </span>
          <span class="second">{online < all ? t("dev.silentCount", { n: all - online }) : t("dev.allFine")}</span>
        </p>
      )}
    </Card>
  );
}
