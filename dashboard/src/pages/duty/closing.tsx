import { useState } from "preact/hooks";
import { get, list, person } from "../../api";
import { hallNow } from "../../clock";
import { hm, when } from "../../format";
import { t } from "../../i18n";
import { flag, lit } from "../../live/read";
import { live } from "../../live/stream";
import type { Live } from "../../live/state";
import { useStore } from "../../store";
import type { ClosingCheck, Closing as Told } from "../../types";
import { Card, Empty, Failed, Loading, Raw } from "../../ui/card";
import { useFetched } from "../../ui/fetch";
import { Form } from "../../ui/form";
import { mayServe } from "./may";

interface Left {
  id: string;
  name: string;
  zone: string;
  what: string;
}

/** What is still open, on or unknown, as the sensors see it now; protected circuits run on. */
export function leftOver(state: Live): Left[] {
  const { site, channels } = state;
  if (!site) return [];
  const todo: Left[] = [];
  const add = (thing: { id: string; name: string; zone: string }, on: boolean | null, what: string) => {
    if (on !== false) todo.push({ ...thing, what: on === null ? t("state.unknown") : what });
  };
  for (const o of site.openings) if (o.contact) add(o, flag(channels, o.contact, "open"), t("state.openDoor"));
  for (const c of site.circuits) {
    if (c.use !== "protected") add(c, lit(channels, c), t(c.use === "lighting" ? "duty.lit" : "duty.powered"));
  }
  for (const a of site.acs) add(a, flag(channels, a.source, "on"), t("duty.acOn"));
  return todo;
}

/** 关门检查: the list as it stands, and the records that were taken of it today. */
export function Closing() {
  const state = useStore(live, (l) => l);
  const me = useStore(person, (p) => p);
  const [mine, again] = useState(0);
  const told = useFetched(() => get<Told>("/closing-checks/now"), [state.turned, state.day?.date, mine]);
  const { site } = state;
  if (!site) {
    return (
      <Card title={t("duty.closing")}>
        <Loading rows={3} />
      </Card>
    );
  }
  const todo = leftOver(state);
  const zone = (id: string) => site.zones.find((z) => z.id === id)?.name ?? id;
  const due = told.data?.due;
  return (
    <Card title={t("duty.closing")} aside={t("duty.left", { n: todo.length })}>
      {due && <p class="second">{t(Date.parse(due) > hallNow() ? "duty.due" : "duty.wasDue", { at: hm(due) })}</p>}
      {todo.length ? (
        <ul class="check">
          {todo.map((x) => (
            <li key={x.id}>
              <Raw>{x.name}</Raw>
              <b>{x.what}</b>
              <span class="second">
                <Raw>{zone(x.zone)}</Raw>
              </span>
            </li>
          ))}
        </ul>
      ) : (
        <Empty>{t("duty.clear")}</Empty>
      )}
      {told.data && told.data.checks.length > 0 && <Checks of={told.data.checks} />}
      {mayServe(me) && told.data && (
        <Form
          path="/closing-checks"
          go={t("duty.record")}
          body={(f) => ({ note: f.get("note") })}
          done={() => again((n) => n + 1)}
        >
          <label>
            {t("shift.note")}
            <input name="note" maxLength={1000} />
          </label>
        </Form>
      )}
      <Past />
    </Card>
  );
}

/** 关门记录 of earlier days; a day on which something was left says what. */
function Past() {
  const [open, setOpen] = useState(false);
  return (
    <div class="under">
      <button type="button" class="button" aria-expanded={open} onClick={() => setOpen(!open)}>
        {t("duty.past")}
      </button>
      {open && <Earlier />}
    </div>
  );
}

function Earlier() {
  const { data, fault, reload } = useFetched(() => list<ClosingCheck>("/closing-checks?limit=20", 20), []);
  if (fault && !data) return <Failed fault={fault} retry={reload} />;
  if (!data) return <Loading rows={2} />;
  return data.length ? <Checks of={data} names /> : <Empty>{t("duty.noPast")}</Empty>;
}

function Checks({ of, names = false }: { of: ClosingCheck[]; names?: boolean }) {
  return (
    <ul class="check" aria-label={t("duty.records")}>
      {of.map((c) => (
        <li key={c.id}>
          <span>
            {when(c.at, hallNow())} {c.who === "gateway" ? t("log.gateway") : <Raw>{c.who}</Raw>}
          </span>
          <span class="second">
            {c.left.length ? t("duty.left", { n: c.left.length }) : t("duty.allClear")}
            {names && c.left.length > 0 && (
              <>
                {" · "}
                <Raw>{c.left.map((x) => x.name).join(t("common.list"))}</Raw>
              </>
            )}
            {c.note && (
              <>
                {" · "}
                <Raw>{c.note}</Raw>
              </>
            )}
          </span>
        </li>
      ))}
    </ul>
  );
}
