import { list, query } from "../../api";
import { hallNow } from "../../clock";
import { duration, hm, iso, MINUTE, ms, when } from "../../format";
import { ruleTitle, t } from "../../i18n";
import { series } from "../../live/history";
import { place, stretches, type Stretch } from "../../live/spans";
import { live } from "../../live/stream";
import { findingHref } from "../../route";
import { useStore } from "../../store";
import type { Finding, Opening, Site } from "../../types";
import { Grid, TimeAxis } from "../../ui/axis";
import { Card, Empty, Failed, Loading, Raw } from "../../ui/card";
import { useFetched } from "../../ui/fetch";
import type { Range } from "../../ui/range";
import { Sign } from "../../ui/sign";

const ORDER = ["exit", "entrance", "fire-door", "door", "window"];

interface Row {
  opening: Opening;
  open: Stretch[];
  locked: Stretch[];
}

async function rows(site: Site, from: number, to: number, now: number): Promise<Row[]> {
  const step = Math.max(MINUTE, Math.ceil((to - from) / 480 / MINUTE) * MINUTE);
  const until = Math.min(to, now);
  const read = async (channel: string | null, field: string) =>
    channel ? stretches(await series(channel, field, from, to, step), step, until) : [];
  const openings = [...site.openings].sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind));
  return Promise.all(
    openings.map(async (opening) => {
      const [open, locked] = await Promise.all([read(opening.contact, "open"), read(opening.lock, "locked")]);
      return { opening, open, locked };
    }),
  );
}

/** One row per opening: open in dark, locked in stripes, findings as brackets above. */
export function Timelines({ range }: { range: Range }) {
  const site = useStore(live, (l) => l.site);
  const changed = useStore(live, (l) => l.findings);
  const { data, fault, reload } = useFetched(async () => {
    if (!site) return null;
    return { range, rows: await rows(site, range.from, range.to, hallNow()) };
  }, [site, range]);
  const found = useFetched(
    () => list<Finding>(`/findings${query({ from: iso(range.from), to: iso(range.to) })}`),
    [range, changed],
  );
  return (
    <Card title={t("safety.openings")} aside={<Legend />}>
      {fault && !data ? (
        <Failed fault={fault} retry={reload} />
      ) : !data || !site ? (
        <Loading rows={6} />
      ) : data.rows.length ? (
        <div class="tracks">
          {data.rows.map((row) => (
            <Track
              key={row.opening.id}
              row={row}
              range={data.range}
              site={site}
              findings={(found.data ?? []).filter((f) => f.subject === row.opening.id)}
            />
          ))}
          <div class="track-axis">
            <TimeAxis from={data.range.from} to={data.range.to} />
          </div>
        </div>
      ) : (
        <Empty>{t("safety.none")}</Empty>
      )}
    </Card>
  );
}

function Legend() {
  return (
    <ul class="legend" aria-label={t("plan.legend")}>
      <li>
        <i class="key open" aria-hidden="true" /> {t("state.openDoor")}
      </li>
      <li>
        <i class="key locked" aria-hidden="true" /> {t("state.locked")}
      </li>
      <li>
        <i class="key hatch" aria-hidden="true" /> {t("state.unknown")}
      </li>
      <li>
        <i class="key mark-key" aria-hidden="true" /> {t("safety.finding")}
      </li>
    </ul>
  );
}

interface TrackProps {
  row: Row;
  range: Range;
  site: Site;
  findings: Finding[];
}

function Track({ row, range, site, findings }: TrackProps) {
  const { opening, open, locked } = row;
  const { from, to } = range;
  const now = hallNow();
  const zone = site.zones.find((z) => z.id === opening.zone)?.name ?? "";
  const total = (all: Stretch[]) => all.filter((s) => s.state).reduce((sum, s) => sum + s.end - s.begin, 0);
  const told = [
    opening.contact && `${t("state.openDoor")} ${total(open) ? duration(total(open)) : "0"}`,
    opening.lock && `${t("state.locked")} ${total(locked) ? duration(total(locked)) : "0"}`,
  ].filter(Boolean);
  const base = opening.contact ? open : locked;
  return (
    <div class="track">
      <div class="track-name">
        <b>
          <Raw>{opening.name}</Raw>
        </b>
        <span class="faint">
          {t(`opening.${opening.kind}`)} · <Raw>{zone}</Raw>
        </span>
      </div>
      <div class="track-line">
        <Grid from={from} to={to} />
        <div class="track-bar" role="img" aria-label={told.join(", ")}>
          {base.map((s) => s.state === null && <Piece key={s.begin} s={s} range={range} kind="hatch" />)}
          {open.map((s) => s.state && <Piece key={s.begin} s={s} range={range} kind="open" />)}
          {locked.map((s) => s.state && <Piece key={`l${s.begin}`} s={s} range={range} kind="locked" />)}
        </div>
        {findings.map((f) => {
          const at = place(ms(f.since), f.end ? ms(f.end) : now, from, to);
          const text = `${ruleTitle(f.rule)} ${when(f.since, now)}–${f.end ? when(f.end, now) : ""}`;
          return (
            at && (
              <a key={f.id} href={findingHref(f.id)} class={`bracket ${f.severity}`} style={at} title={text}>
                <Sign of={f.severity} label={false} size={10} />
                <span class="sr">{text}</span>
              </a>
            )
          );
        })}
      </div>
      <div class="track-sum">{told.join(" · ")}</div>
    </div>
  );
}

function Piece({ s, range, kind }: { s: Stretch; range: Range; kind: string }) {
  const at = place(s.begin, s.end, range.from, range.to);
  return at && <span class={kind} style={at} title={`${hm(s.begin)}–${hm(s.end)}`} />;
}
