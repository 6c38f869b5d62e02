import { useState } from "preact/hooks";
import { get, post } from "../../api";
import { t, useLang } from "../../i18n";
import { live } from "../../live/stream";
import { useStore } from "../../store";
import type { Sheet, SheetField, Site } from "../../types";
import { whyOf } from "../../ui/card";
import { useFetched } from "../../ui/fetch";
import { Outcome } from "../../ui/form";

const GIVEN: Record<string, RegExp> = {
  stars: /^(image|conduct|skill)-\d$|^(plus|minus)$/,
  hygiene: /^(civility|room)-\d$|^thrift-4$/,
};
const PROMISES = ["shirk", "errors", "hard"];

interface Choice {
  id: string;
  name: string;
}

/** Whom a field is of; `department` where a person's name alone could mean two. */
interface Subject extends Choice {
  subject: string;
  department: string;
}

const plain = ({ id, name }: Choice): Subject => ({ id, name, subject: id, department: "" });

/** Whom the fields are of: people of the sheet, counters and offices, or the hall. */
function subjects(sheet: Sheet, site: Site | null): Subject[] {
  if (sheet.kind === "zeros") return [plain({ id: "hall", name: site?.name ?? "" })];
  if (sheet.kind === "stars") {
    return (sheet.sections[0]?.rows ?? []).map((row) => {
      const [subject, department] = [String(row[0]), String(row[1] ?? "")];
      return { id: `${subject} · ${department}`, name: `${subject} · ${department}`, subject, department };
    });
  }
  const counters = site?.counters ?? [];
  const offices = site?.zones.filter((z) => !counters.some((c) => c.zone === z.id)) ?? [];
  return [...counters, ...offices].map(plain);
}

/** The fields that a person fills in; every word is kept with its name, the last one counts. */
export function Fields({ sheet, changed }: { sheet: Sheet; changed: () => void }) {
  const language = useLang();
  const site = useStore(live, (l) => l.site);
  const who = subjects(sheet, site);
  const [chosen, choose] = useState("");
  const [said, say] = useState("");
  const [fault, setFault] = useState("");
  const { data, reload } = useFetched(
    async () =>
      (await get<{ items: SheetField[] }>(`/sheets/fields?sheet=${sheet.kind}&period=${sheet.period}`)).items,
    [sheet.kind, sheet.period],
  );
  const whom = who.find((w) => w.id === chosen) ?? who[0];
  const first = sheet.sections[0];
  const fields: Choice[] =
    sheet.kind === "zeros"
      ? PROMISES.map((id) => ({ id, name: t(`zero.${id as "shirk"}`) }))
      : (first?.columns ?? [])
          .filter((c) => GIVEN[sheet.kind]?.test(c.key))
          .map((c) => ({ id: c.key, name: c.title[language] }));
  const known = (field: string) => {
    const words = data?.filter((w) => w.subject === whom?.subject && w.field === field) ?? [];
    return words.filter((w) => w.department === whom?.department).at(-1) ?? words.filter((w) => !w.department).at(-1);
  };
  const save = async (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    say("");
    setFault("");
    try {
      for (const { id } of fields) {
        const text = String(form.get(id) ?? "");
        if (text === "" || Number(text) === known(id)?.value) continue;
        await post("/sheets/fields", {
          sheet: sheet.kind,
          period: sheet.period,
          subject: whom?.subject,
          department: whom?.department,
          field: id,
          value: Number(text),
        });
      }
      say(t("common.done"));
    } catch (why) {
      setFault(t("common.failed", { why: whyOf(why) }));
    }
    reload();
    changed();
  };
  return (
    <details class="card entry-desk no-print">
      <summary>{t("reports.fields")}</summary>
      {whom === undefined ? (
        <p class="empty">{t("reports.noSubjects")}</p>
      ) : (
        <form class="field-form" onSubmit={(e) => void save(e)} key={`${whom.id} ${data?.length}`}>
          <label>
            {t("reports.subject")}
            <select value={whom.id} translate={false} onChange={(e) => choose(e.currentTarget.value)}>
              {who.map((w) => (
                <option key={w.id} value={w.id}>
                  {w.name}
                </option>
              ))}
            </select>
          </label>
          <div class="field-grid">
            {fields.map((field) => (
              <label key={field.id}>
                {field.name}
                <input
                  type="number"
                  name={field.id}
                  min={0}
                  step="any"
                  inputMode="decimal"
                  defaultValue={known(field.id)?.value}
                  title={known(field.id)?.made_by}
                />
              </label>
            ))}
          </div>
          <button type="submit" class="button primary">
            {t("common.save")}
          </button>
          <Outcome said={said} fault={fault} />
        </form>
      )}
    </details>
  );
}
