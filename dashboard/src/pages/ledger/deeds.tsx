import type { ComponentChildren } from "preact";
import { hallNow } from "../../clock";
import { addDays, dateOf } from "../../format";
import { t, word } from "../../i18n";
import { Choice, DayField, Number_, Text, ToWhom, type Doing } from "./parts";
import type { Case } from "./types";

/** In the order in which they are offered; those of the first line bring a case on. */
const ONWARD = ["settle", "rectify", "issue", "report", "told", "callback", "recheck", "close", "resume", "confirm", "decide"];
const ASIDE = ["pause", "extend", "hand-over", "appeal", "reopen", "note", "strike"];

/** What an action of this kind must tell, beside the note that most of them take. */
function asked(of: Case, what: string): string[] {
  const { kind } = of;
  if (what === "resume" || what === "confirm" || (what === "close" && kind === "hazard")) return [];
  if (what === "close") return kind === "start-up" ? ["outcome", "rating_asked"] : ["outcome"];
  if (what === "extend") return kind === "hazard" ? ["due", "leader", "note"] : ["days", "form", "leader", "note"];
  if (what === "reopen" && kind === "hazard") return ["due", "note"];
  const more: Record<string, string[]> = {
    callback: ["outcome"],
    decide: ["upheld"],
    issue: ["to"],
    recheck: ["passed"],
    "hand-over": kind === "promise" ? ["to", "days?"] : ["to"],
  };
  return [...(more[what] ?? []), "note"];
}

function field(of: Case, name: string): ComponentChildren {
  const tomorrow = addDays(dateOf(hallNow()), 1);
  switch (name) {
    case "days?":
      return <Number_ key={name} name="days" label={t("field.handDays")} min={1} max={400} optional />;
    case "days":
      return <Number_ key={name} name="days" label={t("field.moreDays")} min={1} max={400} />;
    case "due": {
      const after = of.due && of.due.day >= tomorrow ? addDays(of.due.day, 1) : tomorrow;
      return <DayField key={name} name="due" label={t("field.due")} min={after} />;
    }
    case "to":
      return <ToWhom key={name} name="to" label={t("field.to")} />;
    case "passed":
      return <Choice key={name} name="passed" label={t("field.passed")} of={[["yes", t("yes.passed")], ["no", t("no.passed")]]} />;
    case "upheld":
      return <Choice key={name} name="upheld" label={t("field.upheld")} of={[["yes", t("appeal.yes")], ["no", t("appeal.no")]]} />;
    case "rating_asked":
      return (
        <Choice key={name} name="rating_asked" label={t("field.rating_asked")} of={[["yes", t("yes")], ["no", t("no")]]} />
      );
    case "form":
    case "leader":
      return <Text key={name} name={name} label={t(`field.${name}`)} most={64} />;
    default:
      return <Text key={name} name={name} label={word("field", name)} />;
  }
}

const TRUTHS = new Set(["passed", "upheld", "rating_asked"]);

function body(form: FormData, seen: number): Record<string, unknown> {
  const made: Record<string, unknown> = { seen };
  for (const [name, value] of form.entries()) {
    if (value === "") continue;
    made[name] = TRUTHS.has(name) ? value === "yes" : name === "days" ? Number(value) : value;
  }
  return made;
}

/** What the gateway says that this person may do to the case now, each with its form. */
export function doings(of: Case): Doing[] {
  return [...ONWARD, ...ASIDE]
    .filter((what) => of.actions.includes(what))
    .map((what, i) => ({
      id: what,
      label: what === "close" && of.kind === "hazard" ? t("way.hazard.closed") : word("did", what),
      primary: i === 0 && ONWARD.includes(what),
      path: `/cases/${encodeURIComponent(of.id)}/${what}`,
      body,
      fields: <div class="field-grid">{asked(of, what).map((name) => field(of, name))}</div>,
    }));
}
