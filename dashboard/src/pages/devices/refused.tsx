import { ApiError, list } from "../../api";
import { hallNow } from "../../clock";
import { when } from "../../format";
import { t, word } from "../../i18n";
import { href } from "../../route";
import type { RejectRow } from "../../types";
import { Card, Empty, Failed, Loading, Raw } from "../../ui/card";
import { useFetched } from "../../ui/fetch";

const MOST = 12;

/** Null for those who may not ask. */
async function read(device?: string): Promise<RejectRow[] | null> {
  const of = device ? `&device=${encodeURIComponent(device)}` : "";
  try {
    return await list<RejectRow>(`/rejects?limit=${MOST}${of}`, 1);
  } catch (why) {
    if (why instanceof ApiError && why.status === 403) return null;
    throw why;
  }
}

/** Messages and logins that were turned away, and why; of one device, or of all. */
export function Refused({ turn, device }: { turn: number; device?: string }) {
  const { data, fault, reload } = useFetched(async () => ({ rows: await read(device) }), [turn, device]);
  if (data && data.rows === null) return null;
  const rows = data?.rows;
  return (
    <Card title={t("dev.refused")} aside={<span class="faint">{t("dev.refusedNote")}</span>}>
      {fault && !data ? (
        <Failed fault={fault} retry={reload} />
      ) : !rows ? (
        <Loading rows={3} />
      ) : rows.length === 0 ? (
        <Empty>{t("dev.noRefused")}</Empty>
      ) : (
        <div class="table-scroll" tabIndex={0} role="group" aria-label={t("dev.refused")}>
          <table class="refused">
            <thead>
              <tr>
                <th scope="col">{t("dev.refused.at")}</th>
                <th scope="col">{t("dev.refused.what")}</th>
                <th scope="col">{t("dev.refused.why")}</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((r, i) => (
                <tr key={`${r.at} ${i}`}>
                  <td class="num">{when(r.at, hallNow())}</td>
                  <td>
                    {r.device && !device ? (
                      <a href={href("devices", r.device)}>
                        <Raw>{r.device}</Raw>
                      </a>
                    ) : null}{" "}
                    {r.topic ? (
                      <Raw class="second">{r.topic}</Raw>
                    ) : (
                      <span class="second">{t("dev.refused.login")}</span>
                    )}
                  </td>
                  <td>
                    {word("refuse", r.why)}
                    <br />
                    <Raw class="faint">{r.reason}</Raw>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Card>
  );
}
