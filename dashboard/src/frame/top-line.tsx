import { post, signedIn } from "../api";
import { useNow } from "../clock";
import { addDays, dateOf, hms, hm, minutes, ms, weekdayName } from "../format";
import { lang, t, theme, useTheme, word } from "../i18n";
import { live } from "../live/stream";
import { useStore } from "../store";
import type { Day, Me } from "../types";
import { Raw } from "../ui/card";
import { Icon } from "../ui/icons";

/** Hall, date and kind of day, open or closed with the next change, connection, language, theme, person. */
export function TopLine({ me }: { me: Me }) {
  const name = useStore(live, (l) => l.site?.name);
  const day = useStore(live, (l) => l.day);
  return (
    <header class="top">
      <div class="top-hall">
        <strong>
          <Raw>{name ?? "…"}</Raw>
        </strong>
        {day && <DayLine day={day} />}
      </div>
      <div class="top-side">
        <Connection />
        <button
          type="button"
          class="quiet"
          aria-label={`${t("switch.lang")} ${t("switch.langLabel")}`}
          translate={false}
          onClick={() => lang.set(lang.get() === "zh" ? "en" : "zh")}
        >
          {t("switch.lang")}
        </button>
        <ThemeSwitch />
        <Person me={me} />
      </div>
    </header>
  );
}

function nextText(next: NonNullable<Day["next"]>, now: number): string {
  const at = dateOf(next.at) === dateOf(now) ? hm(next.at) : dayWord(next.at, now);
  const keys = ["open", "arrive", "closed", "lunch", "leaving"] as const;
  const key = keys.find((k) => k === next.to) ?? "other";
  return t(`next.${key}`, { at, left: minutes(ms(next.at) - now) });
}

function dayWord(at: string, now: number): string {
  const date = dateOf(at);
  const near = [1, 2, 3, 4, 5, 6].some((n) => addDays(dateOf(now), n) === date);
  return `${near ? weekdayName(date) : date.slice(5)} ${hm(at)}`;
}

function DayLine({ day }: { day: Day }) {
  const now = useNow();
  const state = day.open ? "hall.open" : day.closed ? "hall.closed" : "hall.between";
  return (
    <p class="top-day">
      <span class="wide">
        {day.date} {weekdayName(day.date)}
      </span>
      <span class="narrow">{day.date.slice(5)}</span>
      <span>
        {word("day", day.kind)}
        {day.provisional && <em> {t("day.provisional")}</em>}
      </span>
      <span class="clock">{hms(now)}</span>
      <span class="top-state">
        <b>{t(state)}</b>
        {day.next && <span class="wide"> · {nextText(day.next, now)}</span>}
      </span>
    </p>
  );
}

function Connection() {
  const status = useStore(live, (l) => l.status);
  return (
    <span class={`conn ${status}`}>
      <i aria-hidden="true" />
      {t(`conn.${status}`)}
    </span>
  );
}

function ThemeSwitch() {
  const dark = useTheme() === "dark";
  return (
    <button
      type="button"
      class="quiet"
      aria-label={t(dark ? "switch.day" : "switch.night")}
      onClick={() => theme.set(dark ? "light" : "dark")}
    >
      <Icon name={dark ? "sun" : "moon"} size={18} />
    </button>
  );
}

function Person({ me }: { me: Me }) {
  const leave = () => void post("/logout").finally(() => signedIn.set(false));
  return (
    <span class="person">
      <span class="wide">
        <Raw>{me.user}</Raw> <span class="faint">{word("role", me.role)}</span>
      </span>
      <button type="button" class="quiet" aria-label={t("me.signout")} title={t("me.signout")} onClick={leave}>
        <Icon name="out" size={18} />
      </button>
    </span>
  );
}
