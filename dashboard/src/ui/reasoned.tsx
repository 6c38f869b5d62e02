import { minutes } from "../format";
import { t } from "../i18n";

const LENGTHS = [15, 30, 60, 120, 240];

/** For how long, and why: what putting something aside takes. Fields `minutes` and `reason`. */
export function Reasoned({ label, first = 15 }: { label: string; first?: number }) {
  return (
    <div class="two">
      <label>
        {label}
        <select name="minutes">
          {LENGTHS.map((m) => (
            <option key={m} value={m} selected={m === first}>
              {minutes(m * 60_000)}
            </option>
          ))}
        </select>
      </label>
      <label>
        {t("alert.reason")}
        <input name="reason" required maxLength={500} pattern=".*\S.*" />
      </label>
    </div>
  );
}

/** What such a form says, as the gateway reads it. */
export const reasoned = (form: FormData) => ({ minutes: Number(form.get("minutes")), reason: form.get("reason") });
