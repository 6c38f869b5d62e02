/** What the gateway's HTTP API answers (contract, section 4, and its additions). */

export type Severity = "critical" | "warning" | "notice" | "info";
export type Role = "viewer" | "counter" | "duty" | "facilities" | "manager" | "auditor" | "admin";

export interface Me {
  user: string;
  role: Role;
  /** The counter that a counter's lead leads. */
  counter?: string | null;
}

export interface Zone {
  id: string;
  name: string;
}

export interface Counter {
  id: string;
  name: string;
  zone: string;
  department: string;
  pad: string | null;
  presence: string | null;
}

export type OpeningKind = "entrance" | "exit" | "fire-door" | "door" | "window";

export interface Opening {
  id: string;
  name: string;
  zone: string;
  kind: OpeningKind;
  contact: string | null;
  lock: string | null;
}

export type Use = "lighting" | "counter" | "ac" | "protected";

export interface Circuit {
  id: string;
  name: string;
  zone: string;
  use: Use;
  meter: string | null;
  relay: string | null;
  rated_w: number | null;
  on_above_w: number;
}

export interface AirCon {
  id: string;
  name: string;
  zone: string;
  source: string;
  control: string | null;
}

export interface Sensor {
  zone: string;
  kind: "presence" | "lux" | "climate" | "detector";
  source: string;
  circuit: string | null;
}

export interface Route {
  id: string;
  name: string;
  checkpoints: string[];
  due: ([string, string] | string)[];
  days: string;
}

export interface Site {
  id: string;
  name: string;
  timezone: string;
  hours: { open: [string, string][]; arrive: string; clear: string };
  /** By when to sign in and when each half ends; minutes late that are 迟到, past which 旷工. */
  attendance: {
    halves: { name: string; by: string; ends: string }[];
    late: number;
    absent: number;
    half_day_at: number;
  };
  zones: Zone[];
  counters: Counter[];
  openings: Opening[];
  circuits: Circuit[];
  acs: AirCon[];
  sensors: Sensor[];
  routes: Route[];
  checkpoints: { id: string; name: string }[];
  devices: { id: string; kind: string; power: string }[];
  /** Yuan per kWh; null where the site file names none. */
  tariff?: number | null;
}

export type Value = number | boolean | string | null;

/** A channel's last value; `known` is false while its device is silent or before its first event. */
export interface Channel {
  kind: string;
  at: string | null;
  known: boolean;
  values: Record<string, Value>;
}

export interface DeviceState {
  state: string | null;
  silent: boolean;
  last: string | null;
}

export interface Day {
  date: string;
  kind: "workday" | "off" | "makeup";
  provisional: boolean;
  open: boolean;
  closed: boolean;
  next: { at: string; to: string } | null;
}

export interface Now {
  now: string;
  /** How fast the hall's clock runs; more than 1 only in a demonstration. */
  speed?: number;
  day: Day;
  channels: Record<string, Channel>;
  devices: Record<string, DeviceState>;
}

/** One line of a finding's evidence: a part of the rule's formula; it held where no value is told. */
export interface EvidencePart {
  zh?: string;
  en?: string;
  text_zh?: string;
  text_en?: string;
  value?: boolean | null;
  since?: string | null;
  channel?: string;
}

export interface Evidence {
  zh?: string;
  en?: string;
  parts?: EvidencePart[];
  missed?: string[];
  outcome?: string;
  [key: string]: unknown;
}

export interface Finding {
  id: string;
  rule: string;
  subject: string;
  zone: string | null;
  since: string;
  start: string;
  end: string | null;
  severity: Severity;
  cites: string[];
  evidence: Evidence;
  state: string;
  closed_by?: string | null;
  closed_why?: string | null;
}

export interface Notification {
  at: string;
  to: string;
  channel?: string;
  state: string;
  tries?: number;
  answer?: string | null;
}

/** A row of GET /notifications, as far as pages read it. */
export interface Message {
  alert: string;
  role: string;
  state: string;
  sent_at: string | null;
}

export interface Permit {
  id: string;
  kind: string;
  zones: string[];
  from: string;
  to: string;
  reason: string;
  approved_by: string;
}

export interface Entry {
  id: string;
  at: string;
  who: string;
  reason: string;
  registered_by: string;
}

/** What happened to an alert, the latest first; `what` and `state` as in http.md. */
export interface AlertStep {
  at: string;
  what: string;
  state: string;
  who: string | null;
  about: string | null;
}

export interface Alert extends Partial<Finding> {
  id: string;
  finding?: string;
  rule: string;
  subject: string;
  severity: Severity;
  since: string;
  state: string;
  acked_by?: string | null;
  acked_at?: string | null;
  shelved_until?: string | null;
  shelve_why?: string | null;
  opened?: string | null;
  returned_at?: string | null;
  closed_at?: string | null;
  closed_by?: string | null;
  notifications?: Notification[];
  /** What the gateway says of itself, in an alert that has no finding. */
  about?: Record<string, unknown> | null;
}

/** One alert with its history, and the alerts that it tells of beside itself. */
export interface AlertWhole extends Alert {
  history: AlertStep[];
  members: { id: string; subject: string; state: string }[];
}

export interface SeriesPoint {
  t: string | number;
  min: number | null;
  mean: number | null;
  max: number | null;
}

export interface RatingRow {
  counter?: string;
  department?: string;
  /** Empty where nobody was registered on duty. */
  person?: string;
  n: number;
  duplicates: number;
  unrated: number | null;
  levels: Record<string, number> | null;
  mean: number | null;
  channels?: { pad: number; qr: number; paper: number };
  visits?: number | null;
  excluded?: number;
  /** How many ratings the hall's levels and mean are of. */
  of?: number;
  /** Share of opening hours in which the pads could be heard. */
  coverage?: number | null;
}

export interface HourRow {
  counter: string;
  hour: number;
  n: number;
  mean: number | null;
}

export interface CaseRow {
  id: string;
  kind: string;
  title: string;
  state: string;
  counter: string | null;
  holder: string | null;
  received: string;
  due: { day: string; at: string; provisional: boolean } | null;
  /** How many days (`unit`) still count until it is due; negative once it is over. */
  left: number | null;
  unit: "workdays" | "days";
  phase: "reminder" | "overdue" | null;
  late: boolean;
  rating?: { level: number | null };
}

export interface Words {
  zh: string;
  en: string;
}

export type SheetKind =
  | "ratings-week"
  | "ratings-month"
  | "ratings-quarter"
  | "stars"
  | "hygiene"
  | "zeros"
  | "meeting";

export interface SheetPeriod {
  kind: SheetKind;
  title: Words;
  period: string;
  first: string;
  last: string;
  due: string | null;
  provisional: boolean;
}

export interface SheetColumn {
  key: string;
  title: Words;
  kind: "text" | "int" | "score" | "share" | "day";
}

export interface SheetSection {
  key: string;
  title: Words;
  columns: SheetColumn[];
  rows: (string | number | Words | null)[][];
}

export interface Sheet extends SheetPeriod {
  sections: SheetSection[];
  notes: Words[];
  sources: Words[];
  settings: { key: string; title: Words; value: string | number; law: boolean }[];
}

export interface Episode {
  finding: string;
  rule: string;
  subject: string;
  zone: string | null;
  start: string;
  end: string | null;
  item: string;
  unit: string | null;
  decision: { decision: string; unit: string | null; reason: string; by: string; at: string } | null;
}

export interface SheetField {
  subject: string;
  department: string;
  field: string;
  value: number;
  made_by: string;
  made_at: string;
}

export interface Round {
  id: string;
  route: string;
  begin: string;
  end: string;
  state: string;
  checkpoints: { id: string; at: string | null }[];
  flags?: { what: string; at: string; checkpoint: string | null }[];
  signatures?: { as: "patroller" | "supervisor"; who: string; at: string }[];
}

/** An opening, circuit or AC as its sensors saw it at an instant. */
export interface Seen {
  id: string;
  kind: "opening" | "circuit" | "ac";
  /** Of a circuit. */
  use?: string;
  name: string;
  zone: string;
  state: "open" | "closed" | "on" | "off" | "unknown";
  locked?: boolean | null;
  since: string | null;
}

export interface Shift {
  id: string;
  begin: string;
  end: string | null;
  officer: string;
  second: string;
  note: string;
  alerts: { id: string; rule: string; subject: string; severity: string; state: string; zone: string | null }[];
  things: Seen[];
}

export interface ClosingCheck {
  id: number;
  at: string;
  who: string;
  note: string;
  left: Seen[];
}

export interface Closing {
  day: string;
  due: string | null;
  left: Seen[];
  checks: ClosingCheck[];
}

export interface LogLine {
  at: string;
  what: string;
  who?: string | null;
  rule?: string;
  subject?: string;
  route?: string;
  channel?: string | null;
  to?: string;
  state?: string;
  about?: Record<string, unknown>;
}

export interface Standing {
  id: string;
  name: string;
  switchable: boolean;
  why_not: string | null;
  zone: string | null;
  use: string | null;
  watts?: number | null;
  reported?: Record<string, Value> | null;
  state: string;
  desired: string | null;
  manual: { since: string; why: string } | null;
  hazard: { since: string } | null;
  waiting: { do: string; due: string } | null;
}

export interface LogRow {
  log: string | null;
  boot: number | null;
  seq: number | null;
  acked: number | null;
  stored: number;
  duplicates: number;
  missing: [number, number][];
  lost: number;
}

export interface Work {
  id: string;
  kind: "maintenance" | "out-of-service";
  from: string;
  to: string | null;
  reason: string;
  who: string;
}

export interface DeviceRow extends LogRow {
  id: string;
  kind: string;
  power: string;
  state: string | null;
  silent: boolean;
  silent_after_s: number;
  stale_after_s: number;
  last_seen: string | null;
  fw: string | null;
  rejected: number;
  last_reject: { at: string; why: string; reason: string } | null;
  /** How far its clock is ahead; `ms` null where it has not learned the time. */
  clock: { ms: number | null } | null;
  health: {
    at: string;
    held?: number | null;
    dropped?: number | null;
    battery?: number | null;
    mem?: number | null;
    rssi?: number | null;
    reset?: string | null;
    ages?: Record<string, number | null> | null;
  } | null;
  certificate: { expires: string; days: number; renewing: boolean } | null;
  maintenance: Work | null;
}

export interface DeviceWhole extends DeviceRow {
  logs: LogRow[];
}

export interface CommandRow {
  id: string;
  device: string;
  ch: string | null;
  do: string;
  person: string | null;
  cause: string;
  made_at: string;
  answered_at: string | null;
  state: string;
  why: string | null;
}

export interface RejectRow {
  at: string;
  topic: string;
  device: string | null;
  why: string;
  reason: string;
}

export interface CertificateRow {
  of: "device" | "broker" | "authority";
  id: string;
  expires: string;
  days: number;
}

export interface RuleRow {
  id: string;
  cites: { text: string; words: string }[];
  formula: string;
  hold: string | null;
  hold_is: "law" | "proposed" | null;
  settings: { key: string; value: Value; is: "law" | "proposed" }[];
  severity: Severity;
  tells: string | string[];
  acts: string | null;
  enabled?: boolean;
  in_force?: [string | null, string | null];
}

export interface EnergyRow {
  zone?: string;
  use?: string;
  day?: string;
  circuit?: string;
  kwh: number | null;
  [key: string]: unknown;
}
