import { useState } from "preact/hooks";
import { list, person } from "../../api";
import { hallNow } from "../../clock";
import { power, when } from "../../format";
import { t, word } from "../../i18n";
import { live } from "../../live/stream";
import { useStore } from "../../store";
import type { Me, Standing } from "../../types";
import { Card, Failed, Loading, Raw } from "../../ui/card";
import { useFetched } from "../../ui/fetch";
import { Form } from "../../ui/form";
import { mayPermit, mayServe } from "./may";

/** Switching by hand, with the gateway's own checks; what may never be switched is not offered. */
export function Switches() {
  const turned = useStore(live, (l) => l.turned);
  const me = useStore(person, (p) => p);
  const [mine, again] = useState(0);
  const { data, fault, reload } = useFetched(() => list<Standing>("/circuits"), [turned, mine]);
  const rows = data?.filter((c) => c.switchable);
  return (
    <Card title={t("switching.title")} aside={<span class="faint">{t("switching.note")}</span>}>
      {fault && !data ? (
        <Failed fault={fault} retry={reload} />
      ) : !rows ? (
        <Loading rows={3} />
      ) : (
        <ul class="switches">
          {rows.map((c) => (
            <Row key={c.id} of={c} me={me} done={() => again((n) => n + 1)} />
          ))}
        </ul>
      )}
    </Card>
  );
}

function Row({ of: c, me, done }: { of: Standing; me: Me | null; done: () => void }) {
  const [open, setOpen] = useState(false);
  const site = useStore(live, (l) => l.site);
  const on = typeof c.reported?.on === "boolean" ? c.reported.on : null;
  const next = on ? "off" : "on";
  return (
    <li>
      <span class="switch-name">
        <Raw class="strong">{c.name}</Raw>
        <span class="second">
          <Raw>{site?.zones.find((z) => z.id === c.zone)?.name ?? ""}</Raw>
        </span>
      </span>
      <span class="switch-state">
        <i class={`dot ${on === null ? "hatch" : on ? "on" : "off"}`} aria-hidden="true" />
        {t(on === null ? "state.unknown" : on ? "state.on" : "state.off")}
        {typeof c.watts === "number" && <span class="second">{power(c.watts)}</span>}
        {c.state === "asked" && <span class="second">{t("switching.asked")}</span>}
        {c.state === "failed" && <b>{t("switching.failed")}</b>}
        {c.manual && <b>{t("switching.manual")}</b>}
        {c.hazard && <b>{t("switching.hazard")}</b>}
        {c.waiting && (
          <b>{t("switching.waiting", { what: word("do", c.waiting.do), at: when(c.waiting.due, hallNow()) })}</b>
        )}
      </span>
      {mayServe(me) && (
        <button
          type="button"
          class="button"
          aria-expanded={open}
          aria-label={`${c.name} ${t("switching.do")}`}
          translate={false}
          onClick={() => setOpen(!open)}
        >
          {t("switching.do")}
        </button>
      )}
      {open && <Acts of={c} next={next} me={me} done={done} />}
    </li>
  );
}

function Acts({ of: c, next, me, done }: { of: Standing; next: "on" | "off"; me: Me | null; done: () => void }) {
  const path = (what: string) => `/circuits/${encodeURIComponent(c.id)}/${what}`;
  const reason = (
    <label>
      {t("alert.reason")}
      <input name="reason" required maxLength={500} pattern=".*\S.*" />
    </label>
  );
  return (
    <div class="switch-acts">
      {c.waiting && (
        <Form path={path("extend")} go={t("switching.extend")} body={() => ({})} done={done}>
          {null}
        </Form>
      )}
      {c.manual ? (
        mayPermit(me) && (
          <Form path={path("reset")} go={t("switching.reset")} body={(f) => ({ reason: f.get("reason") })} done={done}>
            {reason}
          </Form>
        )
      ) : c.hazard ? (
        mayPermit(me) && (
          <Form
            path={path("check")}
            go={t("switching.checked")}
            body={(f) => ({ electrician: f.get("electrician"), note: f.get("note") })}
            done={done}
          >
            <label>
              {t("switching.electrician")}
              <input name="electrician" required maxLength={80} />
            </label>
            <label>
              {t("switching.found")}
              <input name="note" required maxLength={500} />
            </label>
          </Form>
        )
      ) : (
        <Form
          path="/commands"
          go={word("do", next)}
          body={(f) => ({ subject: c.id, do: next, reason: f.get("reason") })}
          done={done}
        >
          {reason}
        </Form>
      )}
    </div>
  );
}
