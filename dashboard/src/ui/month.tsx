import { hallNow } from "../clock";
import { dateOf } from "../format";
import { lang, t } from "../i18n";
import { Picked, useSteps, type FieldProps } from "./picked";

const may = (text: string): boolean => /^\d{4}-(0[1-9]|1[0-2])$/.test(text);

/** A month as the pages write it, `2026-07`, typed or picked from its year. */
export function MonthField(props: FieldProps) {
  return (
    <Picked
      {...props}
      may={may}
      wrong={t("month.wrong")}
      placeholder="YYYY-MM"
      open={t("month.open")}
      panel={(typed, pick, close) => <Year at={may(typed) ? typed : dateOf(hallNow()).slice(0, 7)} pick={pick} close={close} />}
    />
  );
}

/** The month `n` after this one. */
function after(month: string, n: number): string {
  const [year = 0, number = 1] = month.split("-").map(Number);
  return new Date(Date.UTC(year, number - 1 + n, 1)).toISOString().slice(0, 7);
}

const STEPS: Record<string, (month: string) => string> = {
  ArrowLeft: (m) => after(m, -1),
  ArrowRight: (m) => after(m, 1),
  ArrowUp: (m) => after(m, -3),
  ArrowDown: (m) => after(m, 3),
  PageUp: (m) => after(m, -12),
  PageDown: (m) => after(m, 12),
};

/** One year: arrows go by months and rows, Page Up and Down by years, Escape closes. */
function Year({ at, pick, close }: { at: string; pick: (month: string) => void; close: () => void }) {
  const { value: month, go, grid, key } = useSteps(at, STEPS, close);
  const tongue = lang.get() === "zh" ? "zh-CN" : "en-GB";
  const shown = (of: string, form: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat(tongue, { ...form, timeZone: "UTC" }).format(Date.parse(`${of}-01T00:00:00Z`));
  const now = dateOf(hallNow()).slice(0, 7);
  return (
    <div class="calendar months" role="dialog" aria-label={t("month.pick")} onKeyDown={key}>
      <div class="calendar-head">
        <button type="button" class="quiet" aria-label={t("year.before")} onClick={() => go(after(month, -12))}>
          ‹
        </button>
        <b aria-live="polite">{shown(month, { year: "numeric" })}</b>
        <button type="button" class="quiet" aria-label={t("year.after")} onClick={() => go(after(month, 12))}>
          ›
        </button>
      </div>
      <table ref={grid}>
        <tbody>
          {[0, 3, 6, 9].map((row) => (
            <tr key={row}>
              {[1, 2, 3].map((column) => {
                const one = `${month.slice(0, 5)}${String(row + column).padStart(2, "0")}`;
                return (
                  <td key={column}>
                    <button
                      type="button"
                      tabIndex={one === month ? 0 : -1}
                      aria-pressed={one === at}
                      aria-current={one === now ? "date" : undefined}
                      onClick={() => pick(one)}
                    >
                      {shown(one, { month: tongue === "en-GB" ? "long" : "short" })}
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
