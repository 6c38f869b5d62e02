import { useState } from "preact/hooks";
import { get, person } from "../../api";
import { hallNow } from "../../clock";
import { hms, when } from "../../format";
import { ruleTitle, t, word, type Key } from "../../i18n";
import { subjectOf } from "../../live/names";
import { live } from "../../live/stream";
import { useStore } from "../../store";
import type { LogLine, Shift } from "../../types";
import { Card, Empty, Failed, Loading, Raw } from "../../ui/card";
import { useFetched } from "../../ui/fetch";
import { Form, Password } from "../../ui/form";
import { Sign } from "../../ui/sign";
import { Since } from "../../ui/time";
import { mayServe } from "./may";

/** 交接班: who is on duty since when; opened and handed over by two people, each with their password. */
export function ShiftCard({ left }: { left: number | null }) {
  const turned = useStore(live, (l) => l.turned);
  const [mine, again] = useState(0);
  const me = useStore(person, (p) => p);
  const { data, fault, reload } = useFetched(
    async () => (await get<{ items: Shift[] }>("/shifts?limit=20")).items,
    [turned, mine],
  );
  if (fault && !data) {
    return (
      <Card title={t("shift.title")}>
        <Failed fault={fault} retry={reload} />
      </Card>
    );
  }
  if (!data || !me) {
    return (
      <Card title={t("shift.title")}>
        <Loading rows={2} />
      </Card>
    );
  }
  const shift = data[0] ?? null;
  return (
    <Card title={t("shift.title")} aside={shift && <Since at={shift.begin} />}>
      {shift ? (
        <p class="on-duty">
          {t("shift.now")} <Raw class="strong">{shift.officer}</Raw>
          <span class="second">
            {t("shift.from")} <Raw>{shift.second}</Raw>
          </span>
          {shift.note && (
            <span class="second">
              <Raw>{shift.note}</Raw>
            </span>
          )}
        </p>
      ) : (
        <Empty>{t("shift.none")}</Empty>
      )}
      {mayServe(me) && <Hand key={shift?.id} shift={shift} left={left} done={() => again((n) => n + 1)} />}
      {shift && <Log of={data} />}
    </Card>
  );
}

/** The form says what will be frozen into the record; nobody types it. */
function Hand({ shift, left, done }: { shift: Shift | null; left: number | null; done: () => void }) {
  const [open, setOpen] = useState(false);
  const alerts = useStore(live, (l) => Object.values(l.alerts).filter((a) => a.state !== "normal").length);
  const word_ = t(shift ? "shift.hand" : "shift.open");
  const second = shift ? "to" : "second";
  return (
    <>
      <button type="button" class="button wide-button" aria-expanded={open} onClick={() => setOpen(!open)}>
        {word_}
      </button>
      {open && (
        <Form
          path={shift ? `/shifts/${encodeURIComponent(shift.id)}/handover` : "/shifts"}
          go={t("shift.go", { what: word_ })}
          done={done}
          body={(f) => ({
            password: f.get("mine"),
            [second]: { user: f.get("other"), password: f.get("theirs") },
            note: f.get("note"),
          })}
        >
          <p class="second">
            {t("shift.frozen", { alerts, left: left ?? "—" })}
          </p>
          <Password name="mine" label={t("shift.mine")} />
          <label>
            {t(shift ? "shift.taker" : "shift.second")}
            <input name="other" required maxLength={32} autocomplete="off" />
          </label>
          <Password name="theirs" label={t("shift.theirs")} />
          <label>
            {t("shift.note")}
            <textarea name="note" maxLength={1000} rows={2} />
          </label>
        </Form>
      )}
    </>
  );
}

/** 值班记录: of the running shift or an earlier one, what was found when it was taken over, and what
 * happened on it. */
function Log({ of }: { of: Shift[] }) {
  const [open, setOpen] = useState(false);
  const [chosen, choose] = useState("");
  const shift = of.find((s) => s.id === chosen) ?? of[0];
  return (
    <div>
      <button type="button" class="button" aria-expanded={open} onClick={() => setOpen(!open)}>
        {t("shift.log")}
      </button>
      {open && shift && (
        <div class="shift-log">
          {of.length > 1 && (
            <label>
              {t("shift.which")}
              <select translate={false} value={shift.id} onChange={(e) => choose(e.currentTarget.value)}>
                {of.map((s) => (
                  <option key={s.id} value={s.id}>
                    {`${when(s.begin, hallNow())}–${s.end ? when(s.end, hallNow()) : t("shift.running")} ${s.officer}`}
                  </option>
                ))}
              </select>
            </label>
          )}
          <Found of={shift} />
          <Lines id={shift.id} />
        </div>
      )}
    </div>
  );
}

const SHUT = new Set(["closed", "off"]);

/** What was frozen into the record when the shift was taken over: open alerts, and the house as the
 * sensors saw it. */
function Found({ of }: { of: Shift }) {
  const site = useStore(live, (l) => l.site);
  const counted = of.things.filter((x) => x.use !== "protected");
  const left = counted.filter((x) => !SHUT.has(x.state));
  return (
    <section aria-label={t("shift.at")}>
      <h3>{t("shift.at")}</h3>
      {of.alerts.length ? (
        <ul class="check">
          {of.alerts.map((a) => (
            <li key={a.id}>
              <Sign of={a.severity} />
              <span>
                <Raw>{subjectOf(site, a.subject, a.zone).name}</Raw> · {ruleTitle(a.rule)}
              </span>
              <span class="second">{word("astate", a.state)}</span>
            </li>
          ))}
        </ul>
      ) : (
        <p class="second">{t("shift.noAlerts")}</p>
      )}
      {left.length > 0 && (
        <ul class="check" aria-label={t("shift.undone", { n: left.length })}>
          {left.map((x) => (
            <li key={x.id}>
              <Raw>{x.name}</Raw>
              <b>{t(STATES[x.state] ?? "state.unknown")}</b>
              <span class="second">
                <Raw>{site?.zones.find((z) => z.id === x.zone)?.name ?? x.zone}</Raw>
              </span>
            </li>
          ))}
        </ul>
      )}
      <p class="second">
        {left.length
          ? t("shift.shut", { n: counted.length - left.length })
          : t("shift.allShut", { n: counted.length })}
      </p>
    </section>
  );
}

const STATES: Record<string, Key> = { open: "state.openDoor", on: "state.on" };

const MOST = 60;

function Lines({ id }: { id: string }) {
  const site = useStore(live, (l) => l.site);
  const alerts = useStore(live, (l) => l.alerts);
  const { data, fault, reload } = useFetched(
    () => get<{ items: LogLine[] }>(`/shifts/${encodeURIComponent(id)}/log`),
    [id, alerts],
  );
  if (fault && !data) return <Failed fault={fault} retry={reload} />;
  if (!data) return <Loading />;
  if (!data.items.length) return <Empty>{t("shift.quiet")}</Empty>;
  const about = (line: LogLine) => {
    if (line.rule) return `${subjectOf(site, line.subject ?? "", null).name} · ${ruleTitle(line.rule)}`;
    if (line.route) return site?.routes.find((r) => r.id === line.route)?.name ?? line.route;
    return line.channel ?? "";
  };
  return (
    <ol class="duty-log">
      {data.items
        .slice(-MOST)
        .reverse()
        .map((line, i) => (
          <li key={i}>
            <time dateTime={line.at} title={hms(line.at)}>
              {when(line.at, hallNow())}
            </time>
            <span>
              {word("log", line.what)} <Raw>{about(line)}</Raw>{" "}
              {line.to && <span class="second">{word("role", line.to)}</span>}{" "}
              {line.who && (
                <span class="second">{line.who === "gateway" ? t("log.gateway") : <Raw>{line.who}</Raw>}</span>
              )}
            </span>
          </li>
        ))}
    </ol>
  );
}
