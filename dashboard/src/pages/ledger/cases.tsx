import { useState } from "preact/hooks";
import { person, query } from "../../api";
import { hallNow } from "../../clock";
import { dateOf } from "../../format";
import { t, word } from "../../i18n";
import { caseHref } from "../../route";
import { useStore } from "../../store";
import type { CaseRow } from "../../types";
import { Card, Empty, Failed, Loading, Raw } from "../../ui/card";
import { Form } from "../../ui/form";
import { opens } from "./may";
import { CounterChoice, DayField, DueOf, More, Number_, said, Text, useCounterName, usePages } from "./parts";

const KINDS = ["bad-rating", "complaint", "hazard", "promise", "start-up"] as const;
const STANDS = ["active", "overdue", "closed", "struck"] as const;
type Stand = (typeof STANDS)[number];

const ASKED: Record<Stand, Record<string, string | boolean>> = {
  active: { active: true, sort: "due" },
  overdue: { active: true, overdue: true, sort: "due" },
  closed: { state: "closed" },
  struck: { state: "struck" },
};

/** The cases of a kind and state; what is due first, or longest overdue, stands first. */
export function Cases() {
  const me = useStore(person, (p) => p);
  const [kind, setKind] = useState("");
  const [stand, setStand] = useState<Stand>("active");
  const [opening, setOpening] = useState(false);
  const name = useCounterName();
  const { items, more, fault, reload } = usePages<CaseRow>(`/cases${query({ kind: kind || null, ...ASKED[stand] })}`);
  const mine = KINDS.filter((k) => opens(me, k));
  return (
    <>
      <div class="ledger-tools">
        <div class="segments" role="group" aria-label={t("case.stand")}>
          {STANDS.map((s) => (
            <button key={s} type="button" aria-pressed={s === stand} onClick={() => setStand(s)}>
              {t(`case.stand.${s}`)}
            </button>
          ))}
        </div>
        <label class="beside">
          {t("case.kind")}
          <select value={kind} onChange={(e) => setKind(e.currentTarget.value)}>
            <option value="">{t("common.all")}</option>
            {KINDS.map((k) => (
              <option key={k} value={k}>
                {t(`case.${k}`)}
              </option>
            ))}
          </select>
        </label>
        {mine.length > 0 && (
          <button type="button" class="button" aria-expanded={opening} onClick={() => setOpening(!opening)}>
            {t("case.new")}
          </button>
        )}
      </div>
      {opening && <NewCase kinds={mine} done={reload} />}
      <Card title={t("ledger.cases")} aside={items && <span class="second">n {more ? `> ${items.length}` : items.length}</span>}>
        {fault && !items ? (
          <Failed fault={fault} retry={reload} />
        ) : !items ? (
          <Loading rows={5} />
        ) : items.length ? (
          <ul class="ledger-rows">
            {items.map((row) => (
              <li key={row.id} class="case-row">
                <DueOf of={row} />
                <span class="what">
                  <a href={caseHref(row.id)}>
                    <Raw>{row.title}</Raw>
                  </a>
                  <span class="second">
                    {word("case", row.kind)}
                    {row.counter && name(row.counter) !== row.title && (
                      <>
                        {" · "}
                        <Raw>{name(row.counter)}</Raw>
                      </>
                    )}
                    {row.holder && (
                      <>
                        {" · "}
                        {t("case.heldBy")} <Raw>{row.holder}</Raw>
                      </>
                    )}
                  </span>
                </span>
                <span class="state">{word("cstate", row.state)}</span>
                <span class="second num">{t("case.receivedOn", { day: row.received.slice(0, 10) })}</span>
              </li>
            ))}
          </ul>
        ) : (
          <Empty>{t(`case.none.${stand}`)}</Empty>
        )}
        <More more={more} />
      </Card>
    </>
  );
}

/** What a kind asks for beside its title: a hazard its day, a promise its days. */
function NewCase({ kinds, done }: { kinds: readonly string[]; done: () => void }) {
  const me = useStore(person, (p) => p);
  const [kind, setKind] = useState(kinds[0] ?? "hazard");
  const [contact, setContact] = useState(false);
  const today = dateOf(hallNow());
  const reached = contact && (kind === "bad-rating" || kind === "complaint");
  return (
    <Card title={t("case.new")}>
      <Form<{ id: string }>
        path="/cases"
        go={t("case.register")}
        denied={t("common.forbidden")}
        done={(made) => {
          done();
          location.hash = caseHref(made.id);
        }}
        body={(f) => ({
          kind,
          title: said(f, "title"),
          counter: said(f, "counter"),
          holder: said(f, "holder"),
          note: said(f, "note"),
          due: said(f, "due"),
          days: said(f, "days") && Number(f.get("days")),
          unit: said(f, "unit"),
          contact: reached ? { text: said(f, "text"), purpose: said(f, "purpose") } : undefined,
        })}
      >
        <div class="field-grid">
          <label>
            {t("case.kind")}
            <select value={kind} onChange={(e) => setKind(e.currentTarget.value)}>
              {kinds.map((k) => (
                <option key={k} value={k}>
                  {word("case", k)}
                </option>
              ))}
            </select>
          </label>
          <Text name="title" label={t("case.title")} />
          {me?.role !== "counter" && <CounterChoice optional />}
          <Text name="holder" label={t("field.holder")} most={64} optional />
          {kind === "hazard" && <DayField name="due" label={t("case.until")} min={today} />}
          {kind === "promise" && (
            <>
              <Number_ name="days" label={t("field.days")} min={1} max={400} />
              <label>
                {t("field.unit")}
                <select name="unit">
                  <option value="workdays">{t("unit.workdays")}</option>
                  <option value="days">{t("unit.days")}</option>
                </select>
              </label>
            </>
          )}
          <Text name="note" label={t("field.note")} optional />
        </div>
        <p class="second">{word("case.clock", kind)}</p>
        {(kind === "bad-rating" || kind === "complaint") && me?.role !== "facilities" && (
          <label class="tick">
            <input type="checkbox" checked={contact} onChange={(e) => setContact(e.currentTarget.checked)} />
            {t("contact.wants")}
          </label>
        )}
        {reached && (
          <div class="field-grid">
            <Text name="text" label={t("contact.text")} />
            <Text name="purpose" label={t("contact.purpose")} value={t("contact.callback")} />
          </div>
        )}
      </Form>
    </Card>
  );
}
