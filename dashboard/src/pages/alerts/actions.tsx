import { useState } from "preact/hooks";
import { post } from "../../api";
import { t } from "../../i18n";
import { live } from "../../live/stream";
import { isUnheeded, reduce } from "../../live/state";
import type { Alert } from "../../types";
import { whyOf } from "../../ui/card";

export const needsAck = isUnheeded;
const canShelve = (a: Alert): boolean =>
  a.severity !== "critical" && (a.state === "unacknowledged" || a.state === "acknowledged");
const canClose = (a: Alert): boolean => a.state !== "normal" && (a.severity !== "critical" || !!a.returned_at);

/** Acknowledge, shelve with minutes and a reason, close. What the gateway answers is shown at once. */
export function Actions({ alert, short = false }: { alert: Alert; short?: boolean }) {
  const [open, setOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState("");
  const send = (what: string, body: unknown = {}) => {
    setBusy(true);
    setFault("");
    post<Alert>(`/alerts/${encodeURIComponent(alert.id)}/${what}`, body)
      .then(
        (answer) => {
          if (answer?.id) live.set(reduce(live.get(), "alert", answer));
          setOpen(false);
        },
        (why: unknown) => setFault(whyOf(why)),
      )
      .finally(() => setBusy(false));
  };
  const shelve = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    send("shelve", { minutes: Number(form.get("minutes")), reason: String(form.get("reason")) });
  };
  return (
    <div>
      <div class="actions">
        {needsAck(alert) && (
          <button type="button" class="button primary" disabled={busy} onClick={() => send("ack")}>
            {t("alert.ack")}
          </button>
        )}
        {canShelve(alert) && (
          <button type="button" class="button" aria-expanded={open} onClick={() => setOpen(!open)}>
            {t("alert.shelve")}
          </button>
        )}
        {!short && canClose(alert) && (
          <button type="button" class="button" disabled={busy} onClick={() => send("close")}>
            {t("alert.close")}
          </button>
        )}
      </div>
      {open && (
        <form class="shelve" onSubmit={shelve}>
          <label>
            {t("alert.minutes")}
            <select name="minutes">
              {[15, 30, 60, 120, 240].map((m) => (
                <option key={m} value={m}>
                  {t("dur.m", { m })}
                </option>
              ))}
            </select>
          </label>
          <label>
            {t("alert.reason")}
            <input name="reason" required maxLength={500} pattern=".*\S.*" />
          </label>
          <button type="submit" class="button primary" disabled={busy}>
            {t("alert.shelve")}
          </button>
        </form>
      )}
      {fault && (
        <p class="form-fault" role="alert">
          {t("common.failed", { why: fault })}
        </p>
      )}
    </div>
  );
}
