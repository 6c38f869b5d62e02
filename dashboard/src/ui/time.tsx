import { useNow } from "../clock";
import { duration, ms, when } from "../format";
import { t } from "../i18n";

/** "已 3 分 12 秒", ticking while there is no end. */
export function Lasting({ since, end }: { since: string; end?: string | null }) {
  return end ? <Still text={t("common.lasted", { dur: duration(ms(end) - ms(since)) })} /> : <Ticking since={since} />;
}

function Ticking({ since }: { since: string }) {
  const now = useNow();
  return <Still text={t("common.lasting", { dur: duration(now - ms(since)) })} />;
}

const Still = ({ text }: { text: string }) => <span class="lasting">{text}</span>;

/** "22:41 起" / "07-01 22:41 起". */
export function Since({ at }: { at: string }) {
  const now = useNow(60_000);
  return <time dateTime={at}>{t("common.since", { at: when(at, now) })}</time>;
}
