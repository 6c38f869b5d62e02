import { useState } from "preact/hooks";
import { list, person } from "../api";
import { hallNow } from "../clock";
import { when } from "../format";
import { t, word } from "../i18n";
import { live } from "../live/stream";
import { useStore } from "../store";
import type { Role } from "../types";
import { Card, Empty, Failed, Loading, Raw } from "../ui/card";
import { useFetched } from "../ui/fetch";
import { Form } from "../ui/form";

interface Account {
  name: string;
  role: Role;
  disabled: boolean;
  counter: string | null;
  made_at: string;
}

const ROLES: Role[] = ["viewer", "counter", "duty", "facilities", "manager", "auditor", "admin"];

/** 人员: who may sign in and as what; added, disabled, given a new password. Administrators only. */
export function Accounts() {
  const me = useStore(person, (p) => p);
  const { data, fault, reload } = useFetched(() => list<Account>("/accounts"), []);
  if (me && me.role !== "admin") {
    return (
      <Card title={t("account.title")}>
        <Empty>{t("account.only")}</Empty>
      </Card>
    );
  }
  return (
    <div class="stack accounts">
      <Card title={t("account.title")} aside={data && <span class="faint">{data.length}</span>}>
        {fault && !data ? (
          <Failed fault={fault} retry={reload} />
        ) : !data ? (
          <Loading rows={4} />
        ) : (
          <ul class="switches">
            {data.map((one) => (
              <Row key={one.name} of={one} mine={one.name === me?.user} done={reload} />
            ))}
          </ul>
        )}
      </Card>
      <Card title={t("account.add")}>
        <Form
          path="/accounts"
          go={t("account.add")}
          body={(f) => ({ name: f.get("name"), ...appointed(f), password: f.get("password") })}
          done={() => (reload(), t("account.added"))}
        >
          <label>
            {t("account.name")}
            <input name="name" required maxLength={32} autocomplete="off" autocapitalize="none" />
          </label>
          <Post />
          <NewPassword />
        </Form>
        <p class="second">{t("account.note")}</p>
      </Card>
    </div>
  );
}

/** A role, and for a counter's lead the counter. */
function Post({ of }: { of?: Account }) {
  const counters = useStore(live, (l) => l.site?.counters ?? []);
  const [role, setRole] = useState<Role>(of?.role ?? "duty");
  const [counter, setCounter] = useState(of?.counter ?? "");
  return (
    <div class="two">
      <label>
        {t("account.role")}
        <select name="role" value={role} onChange={(e) => setRole(e.currentTarget.value as Role)}>
          {ROLES.map((one) => (
            <option key={one} value={one}>
              {word("role", one)}
            </option>
          ))}
        </select>
      </label>
      {role === "counter" && (
        <label>
          {t("account.counter")}
          <select name="counter" translate={false} value={counter} onChange={(e) => setCounter(e.currentTarget.value)}>
            <option value="">{t("account.noCounter")}</option>
            {counters.map((one) => (
              <option key={one.id} value={one.id}>
                {one.name}
              </option>
            ))}
          </select>
        </label>
      )}
    </div>
  );
}

const appointed = (f: FormData) => ({ role: f.get("role"), counter: f.get("counter") || null });

const NewPassword = () => (
  <label>
    {t("account.password")}
    <input name="password" type="password" required minLength={8} maxLength={256} autocomplete="new-password" />
  </label>
);

function Row({ of: one, mine, done }: { of: Account; mine: boolean; done: () => void }) {
  const [open, setOpen] = useState(false);
  const counter = useStore(live, (l) => l.site?.counters.find((c) => c.id === one.counter)?.name ?? one.counter);
  const path = (what: string) => `/accounts/${encodeURIComponent(one.name)}/${what}`;
  const ended = () => (done(), t("account.ended"));
  const change = t(one.disabled ? "account.enable" : "account.disable");
  return (
    <li>
      <span class="switch-name">
        <Raw class="strong">{one.name}</Raw>
        <span class="second">
          {word("role", one.role)} {one.counter && <Raw>{counter}</Raw>} {mine && `(${t("account.you")})`}
        </span>
      </span>
      <span class="switch-state">
        {one.disabled ? <b>{t("account.off")}</b> : t("account.on")}
        <span class="second">
          {t("account.made")} {when(one.made_at, hallNow())}
        </span>
      </span>
      <button
        type="button"
        class="button"
        aria-expanded={open}
        aria-label={`${one.name} ${t("switching.do")}`}
        translate={false}
        onClick={() => setOpen(!open)}
      >
        {t("switching.do")}
      </button>
      {open && (
        <div class="switch-acts">
          <Form
            path={path("role")}
            go={t("account.newRole")}
            body={appointed}
            denied={t("common.forbidden")}
            done={ended}
          >
            <Post of={one} />
          </Form>
          <Form
            path={path("password")}
            go={t("account.reset")}
            body={(f) => ({ password: f.get("password") })}
            done={ended}
          >
            <NewPassword />
          </Form>
          {!mine && (
            <Form
              path={path(one.disabled ? "enable" : "disable")}
              go={change}
              body={() => ({})}
              done={one.disabled ? done : ended}
            >
              {null}
            </Form>
          )}
        </div>
      )}
    </li>
  );
}
