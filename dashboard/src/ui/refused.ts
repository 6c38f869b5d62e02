import { ApiError } from "../api";
import { t } from "../i18n";

/** What the gateway says of a request that does not fit: `errors` of each field, or a sentence that
 * begins with the fields' names ("from, to: …"). */
function fieldsOf(fault: ApiError): string[] {
  const errors = Array.isArray(fault.told.errors) ? (fault.told.errors as { where?: unknown }[]) : [];
  if (errors.length) return errors.map(({ where }) => String(where).replace(/^(body|query)\./, ""));
  return /^([a-z_0-9]+(?:, [a-z_0-9]+)*): /.exec(fault.detail)?.[1]?.split(", ") ?? [];
}

/** The words of a label without those of the choices inside it. */
function wordsOf(label: HTMLLabelElement): string {
  const own = [...label.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE);
  return own.map((node) => node.textContent).join("").trim();
}

/** Which fields of a form a 422 without a known reason is about, in the page's language; "" where the
 * form has none of them. A field may stand there in parts: `from` as `from-day` and `from-time`. */
export function wrongFields(fault: unknown, form: HTMLFormElement): string {
  if (!(fault instanceof ApiError) || fault.status !== 422 || fault.why) return "";
  const inputs = [...form.elements].filter((e): e is HTMLInputElement => "labels" in e && "name" in e);
  const names = fieldsOf(fault).flatMap((path) => {
    const parts = path.split(".");
    return inputs
      .filter(({ name }) => parts.some((part) => name === part || name.startsWith(`${part}-`)))
      .flatMap((input) => [...(input.labels ?? [])].map(wordsOf));
  });
  const fields = [...new Set(names.filter(Boolean))].map((name) => `“${name}”`).join(t("common.list"));
  return fields && t("form.fields", { fields });
}
