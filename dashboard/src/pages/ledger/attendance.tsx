import { useState } from "preact/hooks";
import { list, person } from "../../api";
import { hallNow } from "../../clock";
import { dateOf } from "../../format";
import { t, word } from "../../i18n";
import { live } from "../../live/stream";
import { useStore } from "../../store";
import { Card, Empty, Failed, Loading, Raw } from "../../ui/card";
import { useFetched } from "../../ui/fetch";
import { FileImport } from "../../ui/import";
import { may } from "./may";
import { MonthPicker } from "./parts";
import type { AttendanceMonth, PunchLook } from "./types";

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
        <Card title={t("att.import")}>
          <FileImport<PunchLook>
            path="/attendance/imports"
            count={(look) => look.punches}
            looked={(look) =>
              t("att.looked", { n: look.punches, people: look.people, first: look.first ?? "—", last: look.last ?? "—" })
            }
            sample={(look) =>
              look.sample.map((one) => (
                <>
                  <Raw>{`${one.person} ${one.name} ${one.time}`}</Raw> {one.kind && word("punch", one.kind)}
                </>
              ))
            }
            taken={(look) => t("att.taken", { n: look.punches, fresh: look.new ?? 0 })}
            done={(look) => {
              if (look.last) setMonth(look.last.slice(0, 7));
              reload();
            }}
          />
        </Card>
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
