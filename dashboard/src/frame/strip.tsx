import { hms } from "../format";
import { ruleTitle, t } from "../i18n";
import { subjectOf } from "../live/names";
import { live } from "../live/stream";
import { unacknowledged } from "../live/worst";
import { alertHref, findingHref, href } from "../route";
import { useStore } from "../store";
import { Raw } from "../ui/card";
import { Sign } from "../ui/sign";
import { Lasting, Since } from "../ui/time";

/** The worst unacknowledged alert, on every page; it leads to the alert. */
export function AlarmStrip() {
  const state = useStore(live, (l) => l);
  const heads = unacknowledged(state);
  const worst = heads[0];
  if (!worst) return null;
  const others = heads.length - 1 + state.unheeded;
  const { name, place } = subjectOf(state.site, worst.subject, worst.zone);
  return (
    <div class={`strip ${worst.severity}`} role="region" aria-label={t("nav.alerts")}>
      <a class="strip-main" href={worst.kind === "alert" ? alertHref(worst.id) : findingHref(worst.id)}>
        <Sign of={worst.severity} />
        <b>
          <Raw>{name}</Raw> · {ruleTitle(worst.rule)}
        </b>
        {place && (
          <span class="strip-place">
            <Raw>{place}</Raw>
          </span>
        )}
        <span class="strip-time">
          <Since at={worst.since} /> · {worst.over ? t("astate.returned") : <Lasting since={worst.since} />}
        </span>
      </a>
      {others > 0 && <a href={href("alerts")}>{t("strip.more", { n: others })}</a>}
    </div>
  );
}

export function LostBanner() {
  const status = useStore(live, (l) => l.status);
  const heard = useStore(live, (l) => l.heard);
  if (status !== "lost") return null;
  return (
    <div class="lost" role="alert">
      {t("conn.banner", { at: heard ? hms(heard) : "—" })}
    </div>
  );
}
