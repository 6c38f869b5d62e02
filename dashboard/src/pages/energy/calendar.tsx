import { useRef, useState } from "preact/hooks";
import { addDays, kwh, weekday, weekdayName } from "../../format";
import { t, word } from "../../i18n";
import { Card } from "../../ui/card";
import { howMany, type DayRow, type Report } from "./data";
import { energy, monthTitle, percent } from "./words";

const WEEK = [1, 2, 3, 4, 5, 6, 0] as const;
const MOVES: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 };

interface Shown {
  data: Report;
  pick: (day: string) => void;
}

/** Every month of the range, a tint for each day; a day chosen becomes the page's range. */
export function Calendar({ data, pick }: Shown) {
  const days = new Map(data.days.map((d) => [d.day, d]));
  const months = [...new Set(data.days.map((d) => d.day.slice(0, 7)))];
  const most = Math.max(...data.days.map((d) => d.kwh ?? 0), 0.001);
  const [focus, setFocus] = useState(data.from);
  const at = days.has(focus) ? focus : data.from;
  const box = useRef<HTMLDivElement>(null);
  const move = (event: KeyboardEvent) => {
    const by = MOVES[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const to = addDays(at, by);
    if (!days.has(to)) return;
    box.current?.querySelector<HTMLElement>(`[data-day="${to}"]`)?.focus();
  };
  return (
    <Card title={t("energy.days")} aside={<Scale most={most} ring={ringed(data)} />}>
      <p class="faint" id="energy-pick">
        {t("energy.pick")}
      </p>
      <div class="months" ref={box} onKeyDown={move} aria-describedby="energy-pick" role="group" aria-label={t("energy.days")}>
        {months.map((month) => (
          <Month key={month} month={month} days={days} most={most} focus={at} focusOn={setFocus} data={data} pick={pick} />
        ))}
      </div>
    </Card>
  );
}

/** A few days are ringed; of a long range the days outside it are paled. */
const ringed = (r: Report): boolean => howMany(r.from, r.to) <= 16;

function Scale({ most, ring }: { most: number; ring: boolean }) {
  return (
    <span class="heat-scale">
      <span>{t("energy.fewer")}</span>
      {[0, 0.33, 0.67, 1].map((share) => (
        <i key={share} aria-hidden="true" style={{ background: tint(share) }} />
      ))}
      <span>
        {t("energy.more")} ({energy(most)})
      </span>
      <span class="heat-key">
        <i class="part" aria-hidden="true" />
        {t("energy.keyPart")}
      </span>
      <span class="heat-key">
        <i class="none" aria-hidden="true" />
        {t("energy.keyNone")}
      </span>
      {ring && (
        <span class="heat-key">
          <i class="in" aria-hidden="true" />
          {t("energy.keyRange")}
        </span>
      )}
    </span>
  );
}

const tint = (share: number): string => `color-mix(in srgb, var(--accent) ${Math.round(4 + 30 * share)}%, var(--card))`;

interface MonthProps extends Shown {
  month: string;
  days: Map<string, DayRow>;
  most: number;
  focus: string;
  focusOn: (day: string) => void;
}

function Month({ month, days, most, focus, focusOn, data, pick }: MonthProps) {
  const title = monthTitle(month);
  const first = `${month}-01`;
  const start = addDays(first, -((weekday(first) + 6) % 7));
  const weeks: string[][] = [];
  for (let day = start; day.slice(0, 7) <= month; day = addDays(day, 7)) {
    weeks.push(Array.from({ length: 7 }, (_, i) => addDays(day, i)));
  }
  return (
    <table class="heat-month">
      <caption>
        <span aria-hidden="true">{title}</span>
        <span class="sr">{t("energy.monthTable", { month: title })}</span>
      </caption>
      <thead>
        <tr>
          {WEEK.map((d) => (
            <th key={d} scope="col">
              <span aria-hidden="true">{t(`weekday.short.${d}`)}</span>
              <span class="sr">{t(`weekday.${d}`)}</span>
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {weeks.map((week) => (
          <tr key={week[0]}>
            {week.map((day) => {
              const row = day.slice(0, 7) === month ? days.get(day) : undefined;
              return <td key={day}>{row && <Cell row={row} most={most} focus={focus === day} focusOn={focusOn} data={data} pick={pick} />}</td>;
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

interface CellProps extends Shown {
  row: DayRow;
  most: number;
  focus: boolean;
  focusOn: (day: string) => void;
}

function Cell({ row, most, focus, focusOn, data, pick }: CellProps) {
  const coming = row.day > data.until.slice(0, 10) && row.kwh === null && !row.over;
  const part = row.kwh !== null && row.known !== null && row.known < 1;
  const weekend = [0, 6].includes(weekday(row.day));
  const odd = row.works === weekend ? t(row.works ? "energy.makeup" : "energy.off") : "";
  const within = row.day >= data.from && row.day <= data.to;
  const state = coming ? "coming" : row.kwh === null ? "none" : part ? "part" : "";
  const what =
    row.kwh === null
      ? t(coming ? "energy.dayComing" : "energy.dayNone")
      : part
        ? t("energy.dayPart", { kwh: energy(row.kwh), share: percent(row.known ?? 0) })
        : energy(row.kwh);
  const kind = word("day", row.kind === "provisional" ? (row.works ? "workday" : "off") : row.kind);
  const label = t("energy.dayLabel", { day: row.day, weekday: weekdayName(row.day), kind, what });
  return (
    <button
      type="button"
      class={`heat-day ${state} ${within ? (ringed(data) ? "in" : "") : "out"}`}
      data-day={row.day}
      tabIndex={focus ? 0 : -1}
      aria-pressed={within}
      title={label}
      style={row.kwh === null || !(within || ringed(data)) ? undefined : { background: tint(row.kwh / most) }}
      onFocus={() => focusOn(row.day)}
      onClick={() => pick(row.day)}
    >
      <span class="sr">{label}</span>
      <span class="heat-no" aria-hidden="true">
        {Number(row.day.slice(8))}
        {odd && <small>{odd}</small>}
      </span>
      <b aria-hidden="true">{row.kwh === null ? (coming ? "" : "—") : row.kwh >= 100 ? Math.round(row.kwh) : kwh(row.kwh)}</b>
    </button>
  );
}
