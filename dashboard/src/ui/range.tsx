import { hallNow } from "../clock";
import { addDays, DAY, dateOf, midnight, weekday } from "../format";
import { t } from "../i18n";
import { DateField } from "./date";

export type Preset = "today" | "yesterday" | "24h" | "7d" | "30d" | "90d" | "week" | "month" | "custom";

/** What a page shows: [from, to) in Unix ms. */
export interface Range {
  preset: Preset;
  from: number;
  to: number;
}

export function preset(name: Exclude<Preset, "custom">): Range {
  const now = hallNow();
  const date = dateOf(now);
  const day = (n: number) => midnight(addDays(date, n)); // not every day has 24 hours
  const from = {
    today: day(0),
    yesterday: day(-1),
    "24h": now - DAY,
    "7d": day(-6),
    "30d": day(-29),
    "90d": day(-89),
    week: day(-((weekday(date) + 6) % 7)),
    month: midnight(`${date.slice(0, 7)}-01`),
  }[name];
  return { preset: name, from, to: name === "24h" ? now : day(name === "yesterday" ? 0 : 1) };
}

interface RangeProps {
  value: Range;
  choices: Exclude<Preset, "custom">[];
  set: (range: Range) => void;
}

/** Presets and two dates, both included. */
export function RangePicker({ value, choices, set }: RangeProps) {
  const first = dateOf(value.from);
  const last = dateOf(value.to - 1);
  const custom = (from: string, to: string) => {
    if (!from || !to || from > to) return;
    set({ preset: "custom", from: midnight(from), to: midnight(addDays(to, 1)) });
  };
  return (
    <div class="range" role="group" aria-label={t("common.range")}>
      <div class="segments">
        {choices.map((name) => (
          <button key={name} type="button" aria-pressed={value.preset === name} onClick={() => set(preset(name))}>
            {t(`range.${name}`)}
          </button>
        ))}
      </div>
      <span class="range-dates">
        <DateField key={`from ${first}`} quiet label={t("common.from")} value={first} max={last} set={(from) => custom(from, last)} />
        <span aria-hidden="true">–</span>
        <DateField key={`to ${last}`} quiet label={t("common.to")} value={last} min={first} set={(to) => custom(first, to)} />
      </span>
    </div>
  );
}
