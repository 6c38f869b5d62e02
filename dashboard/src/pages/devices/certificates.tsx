import { list } from "../../api";
import { dateOf } from "../../format";
import { t } from "../../i18n";
import { href } from "../../route";
import type { CertificateRow } from "../../types";
import { Card, Raw } from "../../ui/card";
import { useFetched } from "../../ui/fetch";
import { Sign } from "../../ui/sign";

const MOST = 5;
const SOON = 30;

/** The certificates that end first; nothing in a hall that has none. */
export function Certificates({ turn }: { turn: number }) {
  const { data } = useFetched(() => list<CertificateRow>("/certificates"), [turn]);
  if (!data?.length) return null;
  const soon = data.filter((c) => c.days <= SOON || c.of !== "device");
  const shown = [...soon, ...data.filter((c) => !soon.includes(c)).slice(0, Math.max(0, MOST - soon.length))];
  shown.sort((a, b) => a.expires.localeCompare(b.expires));
  return (
    <Card title={t("dev.certs")} aside={<span class="faint">{t("dev.certsNote")}</span>}>
      <ul class="check">
        {shown.map((c) => (
          <li key={`${c.of} ${c.id}`}>
            <span>
              {t(`dev.certs.${c.of}`)}{" "}
              {c.of === "device" && (
                <a href={href("devices", c.id)}>
                  <Raw>{c.id}</Raw>
                </a>
              )}
            </span>
            <span class="second">
              {c.days <= SOON && <Sign of="warning" label={false} />}{" "}
              {c.days < 0 ? t("dev.cert.over") : t("dev.cert.days", { n: c.days })} · {dateOf(c.expires)}
            </span>
          </li>
        ))}
      </ul>
      {data.length > shown.length && <p class="faint">{t("dev.certs.more", { n: data.length - shown.length })}</p>}
    </Card>
  );
}
