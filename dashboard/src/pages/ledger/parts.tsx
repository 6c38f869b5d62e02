import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, get, post } from "../../api";
import { hallNow } from "../../clock";
import { dateOf, hm } from "../../format";
import { t, word, type Key } from "../../i18n";
import { live } from "../../live/stream";
import { useStore } from "../../store";
import type { CaseRow } from "../../types";
import { whyOf } from "../../ui/card";
import { DateField } from "../../ui/date";
import { MonthField } from "../../ui/month";
import { useFetched } from "../../ui/fetch";
import { Outcome } from "../../ui/form";
import { wrongFields } from "../../ui/refused";
import { Sign } from "../../ui/sign";

/** Something that can be done to what stands on the page: a button, and a form under it. */
export interface Doing {
  id: string;
  label: string;
  primary?: boolean;
  path: string;
  /** `seen` is the version that was on the page when the form was opened. */
  body: (form: FormData, seen: number) => unknown;
  fields?: ComponentChildren;
}

interface ActsProps {
  of: Doing[];
  /** Grows with each change of what the actions are done to. */
  version?: number;
  /** Asks for the present state: after what was done, and after a refusal. */
  changed: () => void;
  /** May say something else than that it is done. */
  done?: (answer: unknown, id: string) => string | void;
}

/** Codes of refusals that mean: somebody else was faster. */
const STALE = new Set(["changed", "not-now", "recorded", "struck", "done"]);

export function refusal(why: unknown, form?: HTMLFormElement): string {
  if (why instanceof ApiError && STALE.has(why.why)) return t("ledger.changed");
  if (why instanceof ApiError && why.why === "barred") return t("ap.refused", { day: String(why.told.until) });
  if (why instanceof ApiError && why.why) return t("common.notDone", { why: word("why", why.why) });
  const fields = form && wrongFields(why, form);
  if (fields) return t("common.notDone", { why: fields });
  if (why instanceof ApiError && why.status === 422) return t("ledger.wrong");
  if (why instanceof ApiError && why.status === 404) return t("ledger.gone");
  return t("common.notDone", { why: whyOf(why) });
}

/** After a refusal the version that the page then shows is the one that was seen. */
const REFUSED = -1;

/** One row of buttons, of which one at a time has its form open. What was typed stays when it is refused. */
export function Acts({ of, version = 0, changed, done }: ActsProps) {
  const [open, setOpen] = useState<{ id: string; seen: number } | null>(null);
  const [said, say] = useState("");
  const [fault, setFault] = useState("");
  const [busy, setBusy] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const doing = of.find((d) => d.id === open?.id);
  useEffect(() => {
    if (!open || doing || busy) return;
    setOpen(null);
    setFault(t("ledger.changed"));
  }, [open, doing, busy]);
  const toggle = (id: string) => {
    say("");
    setFault("");
    setOpen(open?.id === id ? null : { id, seen: version });
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (!doing || !open) return;
    say("");
    setFault("");
    setBusy(true);
    const seen = open.seen === REFUSED ? version : open.seen;
    const form = event.currentTarget as HTMLFormElement;
    post(doing.path, doing.body(new FormData(form), seen))
      .then(
        (answer) => {
          setOpen(null);
          say(done?.(answer, doing.id) || t("ledger.did", { what: doing.label }));
          box.current?.focus();
          changed();
        },
        (why: unknown) => {
          setFault(refusal(why, form));
          if (!(why instanceof ApiError) || why.status !== 409) return;
          setOpen({ ...open, seen: REFUSED });
          changed();
        },
      )
      .finally(() => setBusy(false));
  };
  if (!of.length && !said && !fault) return null;
  return (
    <div class="acts" ref={box} tabIndex={-1}>
      {of.length > 0 && (
        <div class="actions">
          {of.map((d) => (
            <button
              key={d.id}
              type="button"
              class={d.primary ? "button primary" : "button"}
              aria-expanded={open?.id === d.id}
              onClick={() => toggle(d.id)}
            >
              {d.label}
            </button>
          ))}
        </div>
      )}
      {doing && open && (
        <form class="form act-form" key={doing.id} aria-label={doing.label} onSubmit={submit}>
          {open.seen !== REFUSED && open.seen !== version && <p class="second">{t("ledger.newer")}</p>}
          {doing.fields}
          <div class="actions">
            <button type="submit" class="button primary" disabled={busy}>
              {t("ledger.confirm", { what: doing.label })}
            </button>
            <button type="button" class="button" onClick={() => toggle(doing.id)}>
              {t("common.cancel")}
            </button>
          </div>
        </form>
      )}
      <Outcome said={said} fault={fault} />
    </div>
  );
}

interface FieldProps {
  name: string;
  label: string;
  optional?: boolean;
  most?: number;
  value?: string;
}

/** Blank text is no text. */
const SAYS = ".*\\S.*";

export function Text({ name, label, optional, most = 500, value }: FieldProps) {
  return (
    <label>
      {optional ? t("ledger.optional", { what: label }) : label}
      <input name={name} required={!optional} maxLength={most} pattern={SAYS} defaultValue={value} autocomplete="off" />
    </label>
  );
}

/** The month that a ledger shows, as "2026-07". */
export function MonthPicker({ month, set }: { month: string; set: (month: string) => void }) {
  return (
    <MonthField class="beside" label={t("duties.month")} value={month} required set={set} />
  );
}

export function DayField({ name, label, optional, value, min, max }: FieldProps & { min?: string; max?: string }) {
  return (
    <DateField
      name={name}
      label={optional ? t("ledger.optional", { what: label }) : label}
      required={!optional}
      value={value ?? ""}
      min={min}
      max={max}
    />
  );
}

export function Number_({ name, label, optional, value, min, max, step }: FieldProps & { min: number; max: number; step?: string }) {
  return (
    <label>
      {optional ? t("ledger.optional", { what: label }) : label}
      <input
        type="number"
        name={name}
        required={!optional}
        defaultValue={value}
        min={min}
        max={max}
        step={step ?? "1"}
        inputMode="decimal"
      />
    </label>
  );
}

export function Choice({ name, label, of }: { name: string; label: string; of: [string, string][] }) {
  return (
    <label>
      {label}
      <select name={name} required>
        <option value="">{t("common.choose")}</option>
        {of.map(([value, text]) => (
          <option key={value} value={value}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

/** Who takes it over: a counter or a department, or whoever is typed. */
export function ToWhom({ name, label }: FieldProps) {
  const counters = useStore(live, (l) => l.site?.counters ?? []);
  const names = [...new Set(counters.flatMap((c) => [c.name, c.department]))];
  const id = `known-${name}`;
  return (
    <label>
      {label}
      <input name={name} required maxLength={64} pattern={SAYS} list={id} autocomplete="off" />
      <datalist id={id} translate={false}>
        {names.map((n) => (
          <option key={n} value={n} />
        ))}
      </datalist>
    </label>
  );
}

export function CounterChoice({ name = "counter", optional = false }: { name?: string; optional?: boolean }) {
  const counters = useStore(live, (l) => l.site?.counters ?? []);
  return (
    <label>
      {optional ? t("ledger.optional", { what: t("ratings.counter") }) : t("ratings.counter")}
      <select name={name} required={!optional}>
        <option value="">{t(optional ? "ledger.none" : "common.choose")}</option>
        {counters.map((c) => (
          <option key={c.id} value={c.id} translate={false}>
            {c.name}
          </option>
        ))}
      </select>
    </label>
  );
}

export const said = (form: FormData, name: string): string | undefined => {
  const value = form.get(name);
  return typeof value === "string" && value.trim() ? value.trim() : undefined;
};

export const useCounterName = (): ((id: string | null) => string) => {
  const counters = useStore(live, (l) => l.site?.counters ?? []);
  return (id) => counters.find((c) => c.id === id)?.name ?? id ?? "";
};

const counted = (key: string, n: number): string => t((n === 1 ? `${key}.one` : key) as Key, { n });

/** When a case is due, and how long that still is: a sign, a word and the day. */
export function DueOf({ of }: { of: CaseRow }) {
  const { due, left, unit } = of;
  if (!due || left === null) return <span class="second">{t(of.state === "paused" ? "case.paused" : "case.noDue")}</span>;
  const today = due.day === dateOf(hallNow());
  const over = of.phase === "overdue";
  const text = over
    ? today
      ? t("case.overToday", { at: hm(due.at) })
      : counted(`case.over.${unit}`, Math.max(1, -left))
    : today
      ? t("case.today", { at: hm(due.at) })
      : counted(`case.left.${unit}`, left);
  return (
    <span class={over ? "due over" : "due"}>
      {over ? <Sign of="warning" label={false} /> : of.phase === "reminder" && <Sign of="notice" label={false} />}
      <span>{text}</span>
      <span class="second num">{due.day}</span>
      {due.provisional && <span class="tag proposed">{t("day.provisional")}</span>}
    </span>
  );
}

const PAGE = 50;

interface Page<T> {
  items: T[];
  next: string | null;
}

/** A list that grows by pages, and is read again whenever something in the ledger changes. */
export function usePages<T>(path: string) {
  const kept = useStore(live, (l) => l.kept);
  const [limit, setLimit] = useState(PAGE);
  const { data, fault, reload } = useFetched(
    async () => {
      const glue = path.includes("?") ? "&" : "?";
      return { path, page: await get<Page<T>>(`${path}${glue}limit=${limit}`) };
    },
    [path, limit, kept],
  );
  const fits = data?.path === path ? data.page : null;
  return {
    items: fits?.items ?? null,
    more: fits?.next && limit < 1000 ? () => setLimit(Math.min(1000, limit + PAGE)) : null,
    fault,
    reload,
  };
}

export function More({ more }: { more: (() => void) | null }) {
  return more ? (
    <button type="button" class="button wide-button" onClick={more}>
      {t("ledger.more")}
    </button>
  ) : null;
}
