import { hallNow } from "../../clock";
import { dateOf, iso, midnight, stamp } from "../../format";
import { t } from "../../i18n";
import { live } from "../../live/stream";
import { useStore } from "../../store";
import { Card, Raw } from "../../ui/card";
import { Form } from "../../ui/form";

export function EntryForm() {
  return (
    <Card title={t("duty.entry")}>
      <Form path="/entries" body={(f) => ({ who: f.get("who"), reason: f.get("reason") })}>
        <label>
          {t("duty.who")}
          <input name="who" required maxLength={64} />
        </label>
        <label>
          {t("alert.reason")}
          <input name="reason" maxLength={500} />
        </label>
      </Form>
    </Card>
  );
}

const KINDS = ["overtime", "appointment", "study", "cleaning", "special"] as const;

/** What a datetime-local field says, in the hall's time, as the API reads it. */
export function instant(text: FormDataEntryValue | null): string {
  const [date = "", time = "00:00"] = String(text).split("T");
  const [h = 0, m = 0] = time.split(":").map(Number);
  return iso(midnight(date) + (h * 60 + m) * 60_000);
}

export function PermitForm() {
  const zones = useStore(live, (l) => l.site?.zones ?? []);
  const now = stamp(hallNow()).slice(0, 16).replace(" ", "T");
  return (
    <Card title={t("duty.permit")}>
      <Form
        path="/permits"
        body={(f) => ({
          kind: f.get("kind"),
          zones: f.getAll("zones"),
          from: instant(f.get("from")),
          to: instant(f.get("to")),
          reason: f.get("reason"),
        })}
      >
        <div class="two">
          <label>
            {t("duty.kind")}
            <select name="kind">
              {KINDS.map((k) => (
                <option key={k} value={k}>
                  {t(`permit.${k}`)}
                </option>
              ))}
            </select>
          </label>
          <label>
            {t("duty.zone")}
            <select name="zones" translate={false}>
              {zones.map((z) => (
                <option key={z.id} value={z.id}>
                  {z.name}
                </option>
              ))}
            </select>
          </label>
        </div>
        <label>
          {t("common.from")}
          <input name="from" type="datetime-local" required defaultValue={now} />
        </label>
        <label>
          {t("common.to")}
          <input name="to" type="datetime-local" required defaultValue={`${dateOf(hallNow())}T21:00`} />
        </label>
        <label>
          {t("alert.reason")}
          <Raw>
            <input name="reason" required maxLength={500} style={{ width: "100%" }} />
          </Raw>
        </label>
      </Form>
    </Card>
  );
}
