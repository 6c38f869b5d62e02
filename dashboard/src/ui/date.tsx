import { hallNow } from "../clock";
import { addDays, dateOf, weekday } from "../format";
import { lang, t } from "../i18n";
import { Picked, useSteps, type FieldProps } from "./picked";

interface DateProps extends FieldProps {
  min?: string;
  max?: string;
}

const FORM = "\\d{4}-\\d\\d-\\d\\d";

/** Whether the text is a day, within both bounds. */
function may(text: string, min = "", max = "9"): boolean {
  const at = new RegExp(`^${FORM}$`).test(text) ? Date.parse(`${text}T00:00:00Z`) : NaN;
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text) && text >= min && text <= max;
}

/** A day as the pages write it, `2026-07-01`, typed or picked from its month. */
export function DateField({ min, max, ...props }: DateProps) {
  const fits = (date: string) => may(date, min, max);
  return (
    <Picked
      {...props}
      may={fits}
      wrong={t("date.wrong")}
      placeholder="YYYY-MM-DD"
      open={t("date.open")}
      panel={(typed, pick, close) => (
        <Calendar at={fits(typed) ? typed : dateOf(hallNow())} may={fits} pick={pick} close={close} />
      )}
    />
  );
}

function months(date: string, n: number): string {
  const [year = 0, month = 1, day = 1] = date.split("-").map(Number);
  const last = new Date(Date.UTC(year, month + n, 0)).getUTCDate();
  return new Date(Date.UTC(year, month - 1 + n, Math.min(day, last))).toISOString().slice(0, 10);
}

const STEPS: Record<string, (date: string) => string> = {
  ArrowLeft: (d) => addDays(d, -1),
  ArrowRight: (d) => addDays(d, 1),
  ArrowUp: (d) => addDays(d, -7),
  ArrowDown: (d) => addDays(d, 7),
  PageUp: (d) => months(d, -1),
  PageDown: (d) => months(d, 1),
};
const WEEK = [1, 2, 3, 4, 5, 6, 0] as const;

interface CalendarProps {
  at: string;
  may: (date: string) => boolean;
  pick: (date: string) => void;
  close: () => void;
}

/** One month: arrows go by days and weeks, Page Up and Down by months, Escape closes. */
function Calendar({ at, may: good, pick, close }: CalendarProps) {
  const { value: day, go, grid, key } = useSteps(at, STEPS, close);
  const first = `${day.slice(0, 7)}-01`;
  const begin = addDays(first, -((weekday(first) + 6) % 7));
  const tongue = lang.get() === "zh" ? "zh-CN" : "en-GB";
  const name = new Intl.DateTimeFormat(tongue, { year: "numeric", month: "long", timeZone: "UTC" });
  const whole = new Intl.DateTimeFormat(tongue, { dateStyle: "full", timeZone: "UTC" });
  const today = dateOf(hallNow());
  return (
    <div class="calendar" role="dialog" aria-label={t("date.pick")} onKeyDown={key}>
      <div class="calendar-head">
        <button type="button" class="quiet" aria-label={t("date.before")} onClick={() => go(months(day, -1))}>
          ‹
        </button>
        <b aria-live="polite">{name.format(Date.parse(`${first}T00:00:00Z`))}</b>
        <button type="button" class="quiet" aria-label={t("date.after")} onClick={() => go(months(day, 1))}>
          ›
        </button>
      </div>
      <table ref={grid}>
        <thead>
          <tr>
            {WEEK.map((w) => (
              <th key={w} scope="col">
                {t(`weekday.short.${w}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {[0, 1, 2, 3, 4, 5].map((row) => (
            <tr key={row}>
              {WEEK.map((_, column) => {
                // by place: a button that went with its month would take the focus with it
                const date = addDays(begin, row * 7 + column);
                return (
                  <td key={column}>
                    <button
                      type="button"
                      class={date.slice(0, 7) === day.slice(0, 7) ? "" : "other"}
                      tabIndex={date === day ? 0 : -1}
                      aria-label={whole.format(Date.parse(`${date}T00:00:00Z`))}
                      aria-pressed={date === at}
                      aria-current={date === today ? "date" : undefined}
                      aria-disabled={!good(date)}
                      onClick={() => pick(date)}
                    >
                      {Number(date.slice(8))}
                    </button>
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const TIME = /^([01]\d|2[0-3]):[0-5]\d$/;

/** A time of day, `18:00`. */
export function TimeField(props: FieldProps) {
  return <Picked {...props} required may={(text) => TIME.test(text)} wrong={t("date.time")} placeholder="HH:MM" />;
}
