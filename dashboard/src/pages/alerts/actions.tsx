import { useState } from "preact/hooks";
import { person, post } from "../../api";
import { t } from "../../i18n";
import { isUnheeded, reduce } from "../../live/state";
import { live } from "../../live/stream";
import { useStore } from "../../store";
import type { Alert } from "../../types";
import { Form, refusal } from "../../ui/form";
import { Reasoned, reasoned } from "../../ui/reasoned";
import { mayServe } from "../duty/may";

export const needsAck = isUnheeded;
const canShelve = (a: Alert): boolean =>
  a.severity !== "critical" && (a.state === "unacknowledged" || a.state === "acknowledged");
const canClose = (a: Alert): boolean => a.state !== "normal" && (a.severity !== "critical" || !!a.returned_at);

/** Acknowledge, shelve with minutes and a reason, close: for whom it is. What the gateway answers is
 * shown at once. */
export function Actions({ alert, short = false }: { alert: Alert; short?: boolean }) {
  const me = useStore(person, (p) => p);
  const [open, setOpen] = useState(false);
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState("");
  const path = (what: string) => `/alerts/${encodeURIComponent(alert.id)}/${what}`;
  const taken = (answer: Alert) => {
    if (answer?.id) live.set(reduce(live.get(), "alert", answer));
    setOpen(false);
  };
  const send = (what: string) => {
    setBusy(true);
    setFault("");
    post<Alert>(path(what))
      .then(taken, (why: unknown) => setFault(refusal(why, t("common.forbidden"))))
      .finally(() => setBusy(false));
  };
  if (!mayServe(me)) return null;
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
        <Form path={path("shelve")} go={t("alert.shelve")} body={reasoned} denied={t("common.forbidden")} done={taken}>
          <Reasoned label={t("alert.minutes")} />
        </Form>
      )}
      {fault && (
        <p class="form-fault" role="alert">
          {fault}
        </p>
      )}
    </div>
  );
}
