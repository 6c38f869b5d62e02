import { useState } from "preact/hooks";
import { list, person, query } from "../../api";
import { dateOf, hm, iso, when } from "../../format";
import { hallNow } from "../../clock";
import { t, word } from "../../i18n";
import { live } from "../../live/stream";
import { useStore } from "../../store";
import type { Round } from "../../types";
import { Card, Empty, Failed, Loading, Raw } from "../../ui/card";
import { useFetched } from "../../ui/fetch";
import { Form, Password } from "../../ui/form";
import { Sign } from "../../ui/sign";
import type { Range } from "../../ui/range";
import { mayServe } from "../duty/may";

/** Rounds due, done, late and missed; each checkpoint with its tap; flags as they were kept. */
export function PatrolBoard({ range, turn = 0 }: { range: Range; turn?: number }) {
  const [mine, again] = useState(0);
  const site = useStore(live, (l) => l.site);
  const { data, fault, reload } = useFetched(
    () => list<Round>(`/patrols${query({ from: iso(range.from), to: iso(range.to) })}`),
    [range, turn, mine],
  );
  if (fault && !data) {
    return (
      <Card title={t("patrol.title")}>
        <Failed fault={fault} retry={reload} />
      </Card>
    );
  }
  const name = (id: string) => site?.checkpoints.find((c) => c.id === id)?.name ?? id;
  const rounds = [...(data ?? [])].reverse();
  return (
    <Card title={t("patrol.title")}>
      {!data ? (
        <Loading />
      ) : !rounds.length ? (
        <Empty>{t("patrol.noneHere")}</Empty>
      ) : (
        <ul class="round-list">
          {rounds.map((r) => (
            <li key={r.route + r.begin} class={r.state === "missed" ? "warning" : ""}>
              <span class="round-name">
                <b>
                  <Raw>{site?.routes.find((x) => x.id === r.route)?.name ?? r.route}</Raw>
                </b>
                <span class="second">
                  {dateOf(r.begin) !== dateOf(hallNow()) && `${dateOf(r.begin).slice(5)} `}
                  {hm(r.begin)}–{hm(r.end)}
                </span>
              </span>
              <span class={`round-state ${r.state}`}>
                {r.state === "missed" && <Sign of="warning" label={false} />}
                {word("patrol", r.state)}
              </span>
              <ol class="points">
                {r.checkpoints.map((c) => (
                  <li key={c.id}>
                    <i class={`dot ${c.at ? "on" : "off"}`} aria-hidden="true" />
                    <Raw>{name(c.id)}</Raw>
                    <span class="second">{c.at ? when(c.at, hallNow()) : "—"}</span>
                  </li>
                ))}
              </ol>
              {r.flags && r.flags.length > 0 && (
                <span class="faint round-flags">
                  {r.flags.map((f, i) => (
                    <span key={i}>
                      {word("flag", f.what)} <Raw>{f.checkpoint ? name(f.checkpoint) : ""}</Raw> {hm(f.at)}
                    </span>
                  ))}
                </span>
              )}
              <Signatures round={r} done={() => again((n) => n + 1)} />
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

const PARTS = ["patroller", "supervisor"] as const;

/** Who signed as what; two people sign, each with their own password, also on one phone. */
function Signatures({ round, done }: { round: Round; done: () => void }) {
  const [open, setOpen] = useState(false);
  const me = useStore(person, (p) => p);
  const signed = round.signatures ?? [];
  const missing = PARTS.filter((part) => !signed.some((s) => s.as === part));
  if (round.state === "coming") return null;
  return (
    <div class="signatures">
      <span class="second">
        {PARTS.map((part) => {
          const one = signed.find((s) => s.as === part);
          return (
            <span key={part}>
              {t(`signing.${part}`)} {one ? <Raw>{`${one.who} ${when(one.at, hallNow())}`}</Raw> : t("signing.not")}
            </span>
          );
        })}
      </span>
      {missing.length > 0 && mayServe(me) && (
        <button type="button" class="button" aria-expanded={open} onClick={() => setOpen(!open)}>
          {t("signing.sign")}
        </button>
      )}
      {open && missing.length > 0 && (
        <Form
          key={missing.join()}
          path={`/patrols/${encodeURIComponent(round.id)}/sign`}
          go={t("signing.sign")}
          done={done}
          body={(f) => ({ as: f.get("as"), user: f.get("user"), password: f.get("password") })}
        >
          <label>
            {t("signing.as")}
            <select name="as">
              {missing.map((part) => (
                <option key={part} value={part}>
                  {t(`signing.${part}`)}
                </option>
              ))}
            </select>
          </label>
          <label>
            {t("duty.who")}
            <input name="user" required maxLength={32} defaultValue={me?.user} autocomplete="off" />
          </label>
          <Password name="password" label={t("sign.password")} />
        </Form>
      )}
    </div>
  );
}
