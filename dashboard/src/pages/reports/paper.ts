import { useEffect } from "preact/hooks";
import { hallNow } from "../../clock";
import { stamp } from "../../format";
import { t } from "../../i18n";

/** As CSS writes a string; the text may hold quotes. */
const quoted = (text: string): string => `"${text.replace(/["\\]/g, "\\$&").replace(/\s+/g, " ")}"`;

/** What stands at the foot of every printed page beside its number: whose sheet, and when it was printed. */
export function usePaper(whose: string): void {
  useEffect(() => {
    const { style } = document.documentElement;
    const write = () => {
      style.setProperty("--paper-whose", quoted(whose));
      style.setProperty("--paper-when", quoted(t("reports.printed", { at: stamp(hallNow()).slice(0, 16) })));
    };
    write();
    addEventListener("beforeprint", write);
    return () => {
      removeEventListener("beforeprint", write);
      style.removeProperty("--paper-whose");
      style.removeProperty("--paper-when");
    };
  }, [whose]);
}
