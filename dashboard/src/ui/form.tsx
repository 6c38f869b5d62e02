import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { post } from "../api";
import { t } from "../i18n";
import { whyOf } from "./card";

interface FormProps<T> {
  path: string;
  body: (form: FormData) => unknown;
  /** What is said once it is done; "Saved" unless given. */
  done?: (answer: T) => string;
  send?: string;
  children: ComponentChildren;
}

/** Sends one record and says what became of it. */
export function Form<T>({ path, body, done, send, children }: FormProps<T>) {
  const [said, say] = useState("");
  const [fault, setFault] = useState("");
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    say("");
    setFault("");
    post<T>(path, body(new FormData(form))).then(
      (answer) => {
        say(done ? done(answer) : t("common.done"));
        form.reset();
      },
      (why: unknown) => setFault(t("common.failed", { why: whyOf(why) })),
    );
  };
  return (
    <form class="form" onSubmit={submit}>
      {children}
      <button type="submit" class="button primary">
        {send ?? t("common.save")}
      </button>
      <p class="form-done" role="status" translate={false}>
        {said}
      </p>
      <p class="form-fault" role="alert">
        {fault}
      </p>
    </form>
  );
}
