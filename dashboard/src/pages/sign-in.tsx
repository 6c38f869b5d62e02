import { useState } from "preact/hooks";
import { ApiError, post } from "../api";
import { duration } from "../format";
import { lang, t } from "../i18n";

function words(fault: unknown): string {
  if (!(fault instanceof ApiError) || fault.status === 0) return t("sign.unreachable");
  if (fault.status === 429) {
    return fault.wait ? t("sign.locked", { left: duration(fault.wait * 1000) }) : t("sign.lockedLong");
  }
  return fault.status === 401 || fault.status === 403 ? t("sign.wrong") : fault.detail || String(fault.status);
}

export function SignIn({ done }: { done: () => void }) {
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState("");
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    setBusy(true);
    setFault("");
    post("/login", { user: form.get("user"), password: form.get("password") })
      .then(done, (why: unknown) => setFault(words(why)))
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
          <input name="user" autocomplete="username" autocapitalize="none" required autofocus />
        </label>
        <label>
          {t("sign.password")}
          <input name="password" type="password" autocomplete="current-password" required />
        </label>
        <p class="form-fault" role="alert">
          {fault}
        </p>
        <button type="submit" class="button primary" disabled={busy}>
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
