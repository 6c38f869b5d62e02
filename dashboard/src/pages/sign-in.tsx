import { useEffect, useState } from "preact/hooks";
import { ApiError, post } from "../api";
import { duration } from "../format";
import { lang, t } from "../i18n";
import { whyOf } from "../ui/card";

function words(fault: unknown): string {
  if (!(fault instanceof ApiError) || fault.status === 0) return t("sign.unreachable");
  if (fault.status === 429) return t(fault.wait ? "sign.locked" : "sign.lockedLong");
  return fault.status === 401 || fault.status === 403 ? t("sign.wrong") : whyOf(fault);
}

/** Who has to wait, and until when by this page's own clock. */
interface Lock {
  user: string;
  until: number;
}

/** Whole seconds until then; redrawn as they pass. */
function useLeft(until: number): number {
  const left = () => Math.max(0, Math.ceil((until - performance.now()) / 1000));
  const [, redraw] = useState(0);
  useEffect(() => {
    if (!left()) return;
    const id = setInterval(() => {
      redraw((n) => n + 1);
      if (!left()) clearInterval(id);
    }, 250);
    return () => clearInterval(id);
  }, [until]);
  return left();
}

export function SignIn({ done }: { done: () => void }) {
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState("");
  const [lock, setLock] = useState<Lock | null>(null);
  const left = useLeft(lock?.until ?? 0);
  /** The wait is one name's: another may try at once. */
  const named = (event: Event) => {
    if (!lock || (event.currentTarget as HTMLInputElement).value === lock.user) return;
    setLock(null);
    setFault("");
  };
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    setFault("");
    setLock(null);
    const user = String(form.get("user"));
    post("/login", { user, password: form.get("password") })
      .then(done, (why: unknown) => {
        setFault(words(why));
        const wait = why instanceof ApiError && why.status === 429 ? why.wait : 0;
        if (wait) setLock({ user, until: performance.now() + wait * 1000 });
      })
      .finally(() => setBusy(false));
  };
  return (
    <main class="signin">
      <form class="card" onSubmit={submit}>
        <div class="signin-brand">
          <img src="./icon.svg" alt="" width="40" height="40" />
          <div>
            <h1>{t("app.name")}</h1>
            <p class="second">{t("sign.lead")}</p>
          </div>
        </div>
        <label>
          {t("sign.user")}
          <input name="user" autocomplete="username" autocapitalize="none" required autofocus onInput={named} />
        </label>
        <label>
          {t("sign.password")}
          <input name="password" type="password" autocomplete="current-password" required />
        </label>
        {lock && !left ? (
          <p role="status">{t("sign.again")}</p>
        ) : (
          <p class="form-fault">
            <span role="alert">{fault}</span>
            {lock && <br />}
            {lock && <span role="timer">{t("sign.left", { left: duration(left * 1000) })}</span>}
          </p>
        )}
        <button type="submit" class="button primary" disabled={busy || left > 0}>
          {t(busy ? "sign.going" : "sign.go")}
        </button>
        <button
          type="button"
          class="quiet"
          aria-label={`${t("switch.lang")} ${t("switch.langLabel")}`}
          translate={false}
          onClick={() => lang.set(lang.get() === "zh" ? "en" : "zh")}
        >
          {t("switch.lang")}
        </button>
      </form>
    </main>
  );
}
