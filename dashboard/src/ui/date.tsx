import { useEffect, useId, useRef, useState } from "preact/hooks";
import { hallNow } from "../clock";
import { addDays, dateOf, weekday } from "../format";
import { lang, t } from "../i18n";

interface DateProps {
  label: string;
  /** The label is only for screen readers. */
  quiet?: boolean;
  name?: string;
  value: string;
  min?: string;
  max?: string;
  required?: boolean;
  /** Called with each day that may be. */
  set?: (date: string) => void;
}

const FORM = "\\d{4}-\\d\\d-\\d\\d";

/** Whether the text is a day, within both bounds. */
function may(text: string, min = "", max = "9"): boolean {
  const at = new RegExp(`^${FORM}$`).test(text) ? Date.parse(`${text}T00:00:00Z`) : NaN;
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text) && text >= min && text <= max;
}

/** A day as the pages write it, `2026-07-01`, typed or picked from a calendar in the page's language:
 * a browser's own date field speaks the browser's. */
export function DateField({ label, quiet, name, value, min, max, required, set }: DateProps) {
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const [open, setOpen] = useState(false);
  const told = (text: string) => {
    const good = may(text, min, max);
    input.current?.setCustomValidity(good || !text ? "" : t("date.wrong"));
    return good;
  };
  const close = () => {
    setOpen(false);
    input.current?.focus();
  };
  const pick = (date: string) => {
    if (!told(date) || !input.current) return;
    input.current.value = date;
    close();
    set?.(date);
  };
  const left = (event: FocusEvent) => {
    if (!box.current?.contains(event.relatedTarget as Node | null)) setOpen(false);
  };
  return (
    <div class="date-field" ref={box} onFocusOut={left}>
      <label for={id} class={quiet ? "sr" : ""}>
        {label}
      </label>
      <span class="date-box">
        <input
          id={id}
          ref={input}
          name={name}
          inputMode="numeric"
          autocomplete="off"
          placeholder="YYYY-MM-DD"
          maxLength={10}
          required={required}
          defaultValue={value}
          onInput={(e) => told(e.currentTarget.value)}
          onChange={(e) => told(e.currentTarget.value) && set?.(e.currentTarget.value)}
        />
        <button type="button" class="date-open" aria-expanded={open} aria-label={t("date.open")} onClick={() => setOpen(!open)}>
          <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.5">
            <path d="M2 4h12v10H2zM2 7h12M5 2v3M11 2v3" />
          </svg>
        </button>
      </span>
      {open && (
        <Calendar
          at={may(input.current?.value ?? "", min, max) ? (input.current?.value ?? value) : dateOf(hallNow())}
          may={(date) => may(date, min, max)}
          pick={pick}
          close={close}
        />
      )}
    </div>
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
  const [day, go] = useState(at);
  const grid = useRef<HTMLTableElement>(null);
  const byKey = useRef(true);
  useEffect(() => {
    if (byKey.current) grid.current?.querySelector<HTMLElement>("[tabindex='0']")?.focus();
    byKey.current = false;
  }, [day]);
  const key = (event: KeyboardEvent) => {
    const step = STEPS[event.key];
    if (event.key === "Escape") close();
    else if (step) {
      byKey.current = true;
      go(step(day));
    } else return;
    event.preventDefault();
  };
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
                const date = addDays(begin, row * 7 + column);
                return (
                  <td key={date}>
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

/** A time of day, `18:00`. */
export function TimeField({ label, name, value }: { label: string; name: string; value?: string }) {
  return (
    <label>
      {label}
      <input
        name={name}
        required
        inputMode="numeric"
        autocomplete="off"
        placeholder="HH:MM"
        maxLength={5}
        pattern="([01][0-9]|2[0-3]):[0-5][0-9]"
        title={t("date.time")}
        defaultValue={value}
      />
    </label>
  );
}
