import type { ComponentChildren } from "preact";
import { dateOf, hm, kwh, LEAST_KWH, yuan } from "../../format";
import { t } from "../../i18n";
import type { Site } from "../../types";
import { Card } from "../../ui/card";
import { Curve } from "./curve";
import { howMany, type Report } from "./data";
import { Gaps } from "./gaps";
import { change, dayKind, dayName, energy, oneDay, percent, running } from "./words";

/** The big numbers, the curve, and what is missing in it. */
export function Total({ site, data, aside }: { site: Site; data: Report; aside: ComponentChildren }) {
  return (
    <Card title={t("energy.total")} aside={aside}>
      <div class="fact-grid energy-facts">
        <Used data={data} />
        <Usual data={data} />
        <Waste site={site} data={data} />
      </div>
      {data.tariff === null && <p class="faint">{t("energy.noTariff")}</p>}
      <Curve data={data} />
      <Gaps site={site} data={data} />
    </Card>
  );
}

function when(r: Report): string {
  const at = hm(r.until);
  if (oneDay(r)) return running(r) ? t("energy.sofar", { day: r.from, at }) : t("energy.whole", { day: r.from });
  if (running(r)) return t("energy.sofarRange", { from: r.from, at: `${dateOf(r.until).slice(5)} ${at}` });
  return t("energy.range", { from: r.from, to: r.to, days: howMany(r.from, r.to) });
}

function Fact({ id, value, children }: { id: string; value: number | null; children: ComponentChildren }) {
  return (
    <div class="fact" data-fact={id}>
      <p class={value === null ? "huge unknown" : "huge"}>
        {kwh(value)}
        {value !== null && <small> kWh</small>}
      </p>
      {children}
    </div>
  );
}

function Used({ data }: { data: Report }) {
  const { kwh: used, known } = data.total;
  return (
    <Fact id="total" value={used}>
      <p class="second">
        {when(data)}
        {used !== null && data.tariff !== null && ` · ${t("energy.cost", { yuan: yuan(used * data.tariff) })}`}
      </p>
      {used !== null && data.basis && (
        <p class="faint">
          {t(`energy.basis.${data.basis}`)}
          {known !== null && known < 1 && ` ${t("energy.known", { share: percent(known) })}`}
        </p>
      )}
    </Fact>
  );
}

function Usual({ data }: { data: Report }) {
  const usual = data.usual;
  if (!usual) {
    return (
      <Fact id="usual" value={null}>
        <p class="second">{t("energy.none.usual")}</p>
      </Fact>
    );
  }
  const n = usual.dates.length;
  const against = oneDay(data)
    ? n === 1
      ? t("energy.usualOne", { day: dayName(data), date: (usual.dates[0] ?? "").slice(5) })
      : t("energy.usualDay", { n, day: dayName(data), kind: dayKind(data) })
    : t("energy.usualRange");
  const share = change(usual.against, usual.kwh);
  const state = usual.against > usual.high ? "above" : usual.against < usual.low ? "below" : "inside";
  return (
    <Fact id="usual" value={usual.kwh}>
      <p class="second">
        {against}
        {running(data) && ` · ${t("energy.usualNow")}`}
        {usual.days < usual.of && ` · ${t("energy.usualPart", { days: usual.days, of: usual.of })}`}
      </p>
      <p class={state === "above" ? "energy-state above" : "energy-state"}>
        {state === "above" && <span aria-hidden="true">▲ </span>}
        {share !== null && `${t("energy.change", { change: share })} · `}
        {usual.high > usual.low || n > 1 ? t(`energy.${state}`) : ""}
      </p>
      {usual.high > usual.low && (
        <p class="faint">{t("energy.span", { low: energy(usual.low), high: energy(usual.high) })}</p>
      )}
    </Fact>
  );
}

/** Nothing wasted and nothing known are two things. */
function Waste({ site, data }: { site: Site; data: Report }) {
  const { kwh: wasted, permitted } = data.waste;
  const none = wasted !== null && wasted < LEAST_KWH;
  return (
    <Fact id="waste" value={wasted}>
      <p class="second">
        {wasted === null ? t("energy.wasteUnknown") : none ? t("energy.wasteNone") : t("energy.waste")}
        {wasted !== null && !none && data.tariff !== null && ` · ${yuan(wasted * data.tariff)}`}
      </p>
      {permitted !== null && permitted >= LEAST_KWH && (
        <p class="second">{t("energy.wastePermitted", { kwh: energy(permitted) })}</p>
      )}
      <p class="faint">{t("energy.wasteHow", { arrive: site.hours.arrive, clear: site.hours.clear })}</p>
    </Fact>
  );
}
