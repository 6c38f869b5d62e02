import { useState } from "preact/hooks";
import { ApiError, list, person, post, query } from "../../api";
import { hallNow } from "../../clock";
import { dateOf } from "../../format";
import { t, word } from "../../i18n";
import { live } from "../../live/stream";
import { useStore } from "../../store";
import { Card, Empty, Failed, Loading, Raw } from "../../ui/card";
import { useFetched } from "../../ui/fetch";
import { Outcome } from "../../ui/form";
import { may } from "./may";
import { MonthPicker, refusal } from "./parts";
import type { AttendanceMonth, Look } from "./types";

const CLASSES = ["on-time", "late", "undefined", "absent", "early", "missing"] as const;

/** 考勤: the machine's file, looked at before it is taken; a month by person and class. */
export function Attendance() {
  const me = useStore(person, (p) => p);
  const by = useStore(live, (l) => l.site?.attendance);
  const [month, setMonth] = useState(dateOf(hallNow()).slice(0, 7));
  const { data, fault, reload } = useFetched(
    async () => ({ month, items: await list<AttendanceMonth>(`/attendance?month=${month}`) }),
    [month],
  );
  const rows = data?.month === month ? data.items : null;
  return (
    <>
      <div class="ledger-tools">
        <MonthPicker month={month} set={setMonth} />
      </div>
      {may(me, "import") && (
        <Import
          done={(look) => {
            if (look.last) setMonth(look.last.slice(0, 7));
            reload();
          }}
        />
      )}
      <Card title={t("att.title")} aside={rows && <span class="second">n {rows.length}</span>}>
        {!rows ? (
          fault ? (
            <Failed fault={fault} retry={reload} />
          ) : (
            <Loading rows={5} />
          )
        ) : rows.length ? (
          <Table rows={rows} />
        ) : (
          <Empty>{t("att.none")}</Empty>
        )}
        {by && (
          <p class="second note">
            {t("att.note", {
              by: by.halves.map((half) => half.by).join(t("common.list")),
              late: by.late,
              absent: by.absent,
            })}
          </p>
        )}
      </Card>
    </>
  );
}

function Table({ rows }: { rows: AttendanceMonth[] }) {
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label={t("ledger.table", { what: t("att.title") })}>
      <table class="ledger-table">
        <thead>
          <tr>
            <th scope="col">{t("att.person")}</th>
            <th scope="col" class="num">
              {t("att.days")}
            </th>
            {CLASSES.map((name) => (
              <th key={name} scope="col" class="num">
                {t(`att.${name}`)}
              </th>
            ))}
            <th scope="col" class="num">
              {t("att.half")}
            </th>
            <th scope="col">{t("att.which")}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.person}>
              <th scope="row">
                <Raw>
                  {row.name} {row.name !== row.person && <span class="second">{row.person}</span>}
                </Raw>
              </th>
              <td class="num">{row.days}</td>
              {CLASSES.map((name) => (
                <td key={name} class={name !== "on-time" && row.counts[name] ? "num strong" : "num"}>
                  {row.counts[name] ?? 0}
                </td>
              ))}
              <td class="num">{row.half_days}</td>
              <td class="second">
                {row.undefined
                  .map((one) => t("att.one", { day: one.day.slice(5), session: word("att", one.session), n: one.minutes }))
                  .join(t("common.comma"))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const MOST = 4 * 1024 * 1024;

function Import({ done }: { done: (look: Look) => void }) {
  const [file, setFile] = useState<File | null>(null);
  const [look, setLook] = useState<Look | null>(null);
  const [said, say] = useState("");
  const [fault, setFault] = useState("");
  const [busy, setBusy] = useState(false);
  const send = (picked: File, dry: boolean) => {
    setBusy(true);
    setFault("");
    say("");
    post<Look>(`/attendance/imports${query({ file: picked.name.slice(0, 200), dry })}`, picked)
      .then(
        (answer) => {
          setLook(dry ? answer : null);
          if (dry) return;
          say(answer.new === null ? t("att.before") : t("att.taken", { n: answer.punches, fresh: answer.new }));
          setFile(null);
          done(answer);
        },
        (why: unknown) => {
          setLook(null);
          setFault(why instanceof ApiError && why.status === 422 ? t("att.unreadable") : refusal(why));
        },
      )
      .finally(() => setBusy(false));
  };
  const pick = (picked: File | null) => {
    setFile(picked);
    setLook(null);
    if (!picked) return;
    if (!picked.size || picked.size > MOST) setFault(t("att.size"));
    else send(picked, true);
  };
  const fine = look !== null && !look.faulty && look.punches > 0 && !look.imported_before;
  return (
    <Card title={t("att.import")}>
      <div class="picked">
        <label class="button pick">
          {t("att.pick")}
          <input
            type="file"
            accept=".csv,text/csv,text/plain"
            key={file === null ? "none" : "picked"}
            onChange={(e) => {
              const picked = e.currentTarget.files?.[0] ?? null;
              if (picked) pick(picked);
            }}
          />
        </label>
        {file ? <Raw>{file.name}</Raw> : <span class="second">{t("att.file")}</span>}
      </div>
      {look && (
        <div class="look">
          {look.imported_before ? (
            <p>{t("att.before")}</p>
          ) : (
            <p>{t("att.looked", { n: look.punches, people: look.people, first: look.first ?? "—", last: look.last ?? "—" })}</p>
          )}
          {look.sample.length > 0 && (
            <ul class="second" aria-label={t("att.sample")}>
              {look.sample.map((one, i) => (
                <li key={i}>
                  <Raw>
                    {one.person} {one.name} {one.time}
                  </Raw>{" "}
                  {one.kind && word("punch", one.kind)}
                </li>
              ))}
            </ul>
          )}
          {look.faulty > 0 && (
            <>
              <p class="form-fault">{t("att.faulty", { n: look.faulty })}</p>
              <ul class="faults">
                {look.faults.map((one) => (
                  <li key={one.line}>
                    {t("att.line", { n: one.line })} {word("lfault", one.why)}
                    {one.said && (
                      <>
                        {" "}
                        <Raw class="second">{one.said}</Raw>
                      </>
                    )}
                  </li>
                ))}
              </ul>
            </>
          )}
          <div class="actions">
            {fine && file && (
              <button type="button" class="button primary" disabled={busy} onClick={() => send(file, false)}>
                {t("att.take")}
              </button>
            )}
            <button type="button" class="button" onClick={() => (setFile(null), setLook(null))}>
              {t("common.cancel")}
            </button>
          </div>
        </div>
      )}
      <Outcome said={said} fault={fault} />
    </Card>
  );
}
