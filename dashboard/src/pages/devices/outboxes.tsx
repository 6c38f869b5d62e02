import { ApiError, list } from "../../api";
import { hallNow, useNow } from "../../clock";
import { duration, ms } from "../../format";
import { t, word } from "../../i18n";
import { Card, Raw } from "../../ui/card";
import { useFetched } from "../../ui/fetch";
import { Sign } from "../../ui/sign";

interface Outbox {
  name: "messages" | "commands" | "influx";
  to: string | null;
  waiting: number;
  oldest: string | null;
  fault: string | null;
  refused: number;
  last_refused: string | null;
}

/** None for those who may not ask. */
async function read(): Promise<Outbox[]> {
  try {
    return await list<Outbox>("/outboxes");
  } catch (fault) {
    if (fault instanceof ApiError && (fault.status === 403 || fault.status === 404)) return [];
    throw fault;
  }
}

/** What has yet to leave the house: how much, since when, what keeps it. */
export function Outboxes() {
  const turn = Math.floor(useNow(15_000) / 15_000);
  const { data } = useFetched(read, [turn]);
  if (!data?.length) return null;
  return (
    <Card title={t("out.title")}>
      <ul class="dev-grid">
        {data.map((one) => (
          <li key={one.name} class="dev">
            <div class="dev-head">
              {one.fault ? <Sign of="warning" label={false} /> : <i class="dot on" aria-hidden="true" />}
              <b>{word("out.name", one.name)}</b>
              <span class="second">
                <Raw>{one.to ?? ""}</Raw>
              </span>
              <span class="state">
                {one.fault ? t("out.failing") : one.waiting ? t("out.sending") : t("out.clear")}
              </span>
            </div>
            <dl>
              <div>
                <dt>{t("out.waiting")}</dt>
                <dd>{one.waiting}</dd>
              </div>
              {one.oldest && (
                <div>
                  <dt>{t("out.oldest")}</dt>
                  <dd>{duration(Math.max(0, hallNow() - ms(one.oldest)))}</dd>
                </div>
              )}
              {one.refused > 0 && (
                <div>
                  <dt>{t("out.refused")}</dt>
                  <dd>{one.refused}</dd>
                </div>
              )}
            </dl>
            {[one.fault, one.last_refused].map(
              (said) =>
                said && (
                  <p class="second" key={said}>
                    <Raw>{said}</Raw>
                  </p>
                ),
            )}
          </li>
        ))}
      </ul>
    </Card>
  );
}
