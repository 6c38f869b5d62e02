import type { ComponentChildren } from "preact";
import { ApiError } from "../api";
import { lang, t, word } from "../i18n";

interface CardProps {
  title: string;
  aside?: ComponentChildren;
  class?: string;
  children: ComponentChildren;
}

let count = 0;
const ids = new Map<string, string>();
function idOf(title: string): string {
  const known = ids.get(title) ?? `card-${++count}`;
  ids.set(title, known);
  return known;
}

export function Card({ title, aside, class: name = "", children }: CardProps) {
  const id = idOf(title);
  return (
    <section class={`card ${name}`} aria-labelledby={id}>
      <header class="card-head">
        <h2 id={id}>{title}</h2>
        {aside !== undefined && <div class="card-aside">{aside}</div>}
      </header>
      {children}
    </section>
  );
}

/** Names and ids of the site: data, not interface text, in whatever language they stand. */
export function Raw({ children, class: name }: { children: ComponentChildren; class?: string }) {
  return (
    <span translate={false} class={name}>
      {children}
    </span>
  );
}

export function Empty({ children }: { children: ComponentChildren }) {
  return <p class="empty">{children}</p>;
}

/** Grey bars where content will stand. */
export function Loading({ rows = 3 }: { rows?: number }) {
  return (
    <div class="loading" role="status">
      <span class="sr">{t("common.loading")}</span>
      {Array.from({ length: rows }, (_, i) => (
        <span key={i} class="bar" style={{ width: `${88 - ((i * 23) % 45)}%` }} />
      ))}
    </div>
  );
}

/** Why something failed, in the page's language. */
export function whyOf(fault: unknown): string {
  if (!(fault instanceof ApiError)) return String(fault);
  if (fault.status === 0) return t("common.unreachable");
  if (fault.status === 403) return t("common.forbidden");
  const known = word("why", fault.why);
  if (known !== fault.why) return known;
  // the gateway's own words are English
  if (lang.get() === "en" && fault.detail) return fault.detail;
  const general = word("why", `s${fault.status}`);
  return general === `s${fault.status}` ? t("why.other", { status: fault.status }) : general;
}

export function Failed({ fault, retry }: { fault: unknown; retry: () => void }) {
  if (fault instanceof ApiError && fault.status === 404) return <Empty>{t("common.missing")}</Empty>;
  if (fault instanceof ApiError && fault.status === 403) return <Empty>{t("common.forbidden")}</Empty>;
  return (
    <div class="failed" role="alert">
      <p>{t("common.failed", { why: whyOf(fault) })}</p>
      <button type="button" class="button" onClick={retry}>
        {t("common.retry")}
      </button>
    </div>
  );
}
