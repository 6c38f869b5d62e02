import { hallNow, useNow } from "../../clock";
import { minutes, ms, when } from "../../format";
import { t } from "../../i18n";
import type { Work } from "../../types";
import { Raw } from "../../ui/card";
import { Form } from "../../ui/form";
import { Reasoned, reasoned } from "../../ui/reasoned";

/** How long work on it still lasts, who does it and why. */
export function Left({ work }: { work: Work }) {
  const now = useNow(5000);
  return (
    <>
      <i class="dot hatch" aria-hidden="true" />{" "}
      <b>{work.to ? t("dev.work.left", { left: minutes(ms(work.to) - now) }) : t("dev.work.out")}</b>{" "}
      <span class="second">
        <Raw>{work.reason}</Raw>
      </span>
    </>
  );
}

/** Begin work on a device, or end it before its time. */
export function Maintenance({ id, work, done }: { id: string; work: Work | null; done: () => void }) {
  if (work) {
    return (
      <div class="dev-act">
        <p>
          <Left work={work} />
        </p>
        <p class="second">
          <Raw>{t("dev.work.by", { who: work.who, at: when(work.from, hallNow()) })}</Raw>
        </p>
        <Form
          path={`/maintenance/${encodeURIComponent(work.id)}/end`}
          body={() => ({})}
          go={t("dev.work.end")}
          denied={t("common.forbidden")}
          done={done}
        >
          {null}
        </Form>
      </div>
    );
  }
  return (
    <div class="dev-act">
      <h3>{t("dev.work")}</h3>
      <p class="second">{t("dev.work.note")}</p>
      <Form
        path="/maintenance"
        body={(f) => ({ what: id, ...reasoned(f) })}
        go={t("dev.work.begin")}
        denied={t("common.forbidden")}
        done={done}
      >
        <Reasoned label={t("dev.work.length")} first={60} />
      </Form>
    </div>
  );
}
