import { hallNow } from "../../clock";
import { when } from "../../format";
import { t, word } from "../../i18n";
import type { Alert } from "../../types";
import { Raw } from "../../ui/card";

/** The state in a word, with who and when. */
export function StateOf({ alert }: { alert: Alert }) {
  const now = hallNow();
  return (
    <span>
      {word("astate", alert.state)}
      <span class="second">
        {alert.state === "shelved" && alert.shelved_until && ` ${t("alert.until", { at: when(alert.shelved_until, now) })}`}
        {alert.shelve_why && alert.state === "shelved" && (
          <>
            {" · "}
            <Raw>{alert.shelve_why}</Raw>
          </>
        )}
        {alert.acked_by && (
          <>
            {" · "}
            <Raw>{alert.acked_by}</Raw> {alert.acked_at && when(alert.acked_at, now)}
          </>
        )}
      </span>
    </span>
  );
}
