import type { FunctionComponent } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { person } from "../api";
import { t } from "../i18n";
import { href } from "../route";
import { useStore } from "../store";
import type { Me } from "../types";
import { Appointments } from "./ledger/appointments";
import { Attendance } from "./ledger/attendance";
import { CaseDetail } from "./ledger/case";
import { Cases } from "./ledger/cases";
import { Duties } from "./ledger/duties";
import { may } from "./ledger/may";
import { Registers } from "./ledger/registers";

const TABS = ["cases", "duties", "registers", "appointments", "attendance"] as const;
type Tab = (typeof TABS)[number];

const pages: Record<Tab, FunctionComponent<{ rest: string[] }>> = {
  cases: ({ rest }) => (rest[0] ? <CaseDetail id={rest[0]} key={rest[0]} /> : <Cases />),
  duties: () => <Duties />,
  registers: ({ rest }) => <Registers rest={rest} />,
  appointments: () => <Appointments />,
  attendance: () => <Attendance />,
};

function open(me: Me | null): Tab[] {
  return TABS.filter((tab) => tab === "duties" || may(me, tab === "attendance" ? "punches" : "read"));
}

/** 台账: cases, recurring duties, registers, appointments, attendance; each tab has its own address. */
export function Ledger({ rest }: { rest: string[] }) {
  const me = useStore(person, (p) => p);
  const tabs = open(me);
  const tab = tabs.find((name) => name === rest[0]) ?? tabs[0] ?? "duties";
  const Page = pages[tab];
  const nav = useRef<HTMLElement>(null);
  useEffect(() => {
    nav.current?.querySelector("[aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [tab]);
  return (
    <div class="stack ledger">
      <div class="page-head">
        <p class="page-title" aria-hidden="true">
          {t("nav.ledger")}
        </p>
        <nav class="segments" ref={nav} aria-label={t("nav.ledger")}>
          {tabs.map((name) => (
            <a key={name} href={href("ledger", name)} aria-current={name === tab ? "page" : undefined}>
              {t(`ledger.${name}`)}
            </a>
          ))}
        </nav>
      </div>
      <Page rest={rest.slice(1)} key={tab} />
    </div>
  );
}
