import type { CaseRow, Words } from "../../types";
import type { Look } from "../../ui/import";

export interface CaseEvent {
  n: number;
  at: string;
  who: string;
  what: string;
  data: Record<string, unknown>;
}

export interface Appeal {
  by: string;
  at: string;
  why: string;
  upheld: boolean | null;
  decided_by: string | null;
  decided_why: string | null;
  confirmed_by: string | null;
  confirmed_at: string | null;
  stands: boolean;
}

export interface Case extends CaseRow {
  opened_by: string;
  cites: string[];
  days: number | null;
  last: number;
  reopened: boolean;
  legs: { holder: string | null; due: string; provisional: boolean; ended: string; late: boolean }[];
  appeal: Appeal | null;
  contact: { purpose: string; until: string; erased_at: string | null; erased_why: string | null } | null;
  actions: string[];
  events: CaseEvent[];
}

/** A line of a book. */
export interface Entry {
  id: string;
  book: string;
  item: string;
  at: string;
  who: string;
  data: Record<string, unknown>;
  struck: { at: string; who: string; why: string } | null;
}

export interface DutyItem {
  id: string;
  duty: string;
  name: Words;
  cites: string[];
  day: string;
  at: string;
  provisional: boolean;
  evidence: string[];
  second: string | null;
  /** The day on which it falls by the table; another than `day` where somebody moved it. */
  falls: string;
  state: "coming" | "due" | "done" | "late" | "missed" | "before";
  record: Entry | null;
}

export interface DutyRow {
  id: string;
  name: Words;
  cites: string[];
  every: string;
  mondays?: number[];
  months?: number;
  day?: number;
  dates?: string[];
  workday?: number;
  at: string | null;
  next: { id: string; day: string } | null;
  last: Entry | null;
}

export interface Appointment {
  id: string;
  from: string;
  to: string;
  counter: string;
  matter: string;
  permit: string;
  made_by: string;
  cancel_by: string;
  state: string;
  counts_as_no_show: boolean;
  no_shows: number;
  barred_until: string | null;
  entry: { at: string; who: string } | null;
  events: { at: string; who: string; what: string; note: string }[];
}

export interface Barred {
  until: string;
  no_shows: { id: string; day: string }[];
}

export interface AttendanceMonth {
  person: string;
  name: string;
  days: number;
  counts: Record<string, number>;
  half_days: number;
  undefined: { day: string; session: string; minutes: number }[];
}

export interface PunchLook extends Look {
  punches: number;
  people: number;
  sample: { person: string; name: string; time: string; kind: string }[];
}
