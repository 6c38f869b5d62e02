import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { ApiError, send } from "../api";
import { t } from "../i18n";
import { whyOf } from "./card";
import { wrongFields } from "./refused";

interface FormProps<T> {
  path: string;
  method?: "POST" | "DELETE";
  body: (form: FormData) => unknown;
  /** The word on the button; "submit" where it says nothing else. */
  go?: string;
  /** May say something else than that it is done. */
  done?: (answer: T) => string | void;
  /** A quiet button, for what is seldom wanted. */
  plain?: boolean;
  /** What a 403 means here; a wrong password unless given. */
  denied?: string;
  children: ComponentChildren;
}

/** What the gateway refused, in the page's own language; of what was filled in, which field. */
export function refusal(why: unknown, denied?: string, form?: HTMLFormElement): string {
  if (why instanceof ApiError && why.status === 403) return denied ?? t("form.password");
  if (why instanceof ApiError && why.status === 429) return t("form.wait");
  return t("common.notDone", { why: (form && wrongFields(why, form)) || whyOf(why) });
}

/** Sends one record and says what became of it. What was typed stays until it is taken. */
export function Form<T>({ path, method = "POST", body, go, done, denied, plain, children }: FormProps<T>) {
  const [said, say] = useState("");
  const [fault, setFault] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    say("");
    setFault("");
    setBusy(true);
    send<T>(method, path, body(new FormData(form)))
      .then(
        (answer) => {
          form.reset();
          say(done?.(answer) || t("common.done"));
        },
        (why: unknown) => setFault(refusal(why, denied, form)),
      )
      .finally(() => setBusy(false));
  };
  return (
    <form class="form" onSubmit={submit}>
      {children}
      <button type="submit" class={plain ? "button" : "button primary"} disabled={busy}>
        {go ?? t("common.save")}
      </button>
      <Outcome said={said} fault={fault} />
    </form>
  );
}

/** What became of a form: both places stand there from the start, so that a screen reader hears them. */
export function Outcome({ said, fault }: { said: string; fault: string }) {
  return (
    <>
      <p class="form-done" role="status">
        {said}
      </p>
      <p class="form-fault" role="alert">
        {fault}
      </p>
    </>
  );
}

/** A password typed again; browsers must not fill in somebody else's. */
export function Password({ name, label }: { name: string; label: string }) {
  return (
    <label>
      {label}
      <input name={name} type="password" required maxLength={256} autocomplete="off" />
    </label>
  );
}
