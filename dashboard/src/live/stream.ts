import { ApiError, get, signedIn } from "../api";
import { hallNow, tell } from "../clock";
import { dateOf, useZone as setZone } from "../format";
import { createStore } from "../store";
import type { Alert, Day, Finding, Now, Site } from "../types";
import { beyond, EMPTY, reduce, type Live } from "./state";

export const live = createStore<Live>(EMPTY);

const NAMES = ["channel", "device", "finding", "alert", "rating", "shift", "circuit", "command", "case", "register", "now", "resync"] as const;
/** Without a word for so long the gateway is asked; the stream may hang without an error. */
const QUIET = 30_000;
const RETRY = 3_000;

let source: EventSource | null = null;
let heard = performance.now();
let retry = 0;
/** Messages that came since the last redraw, and the timer of the next one. */
const came: [string, unknown][] = [];
const FRAME = 16;
let drawing = 0;

const byId = <T extends { id: string }>(items: T[]): Record<string, T> =>
  Object.fromEntries(items.map((item) => [item.id, item]));

interface Page<T> {
  items: T[];
  next?: string | null;
  /** Of the first page of alerts: how many are active, and how many of these unacknowledged. */
  total?: number;
  unacknowledged?: number;
}

const ALERTS = "/alerts?active=true&order=worst";
const FINDINGS = "/findings?active=true";
/** Drawn at once: the first page of a list. The rest is read behind the page, up to MOST. */
const FIRST = 100;
const CHUNK = 250;
const MOST = 2000;

async function alerts(): Promise<{ page: Page<Alert>; hasAlerts: boolean }> {
  try {
    return { page: await get<Page<Alert>>(`${ALERTS}&limit=${FIRST}`), hasAlerts: true };
  } catch (fault) {
    if (fault instanceof ApiError && (fault.status === 404 || fault.status === 403)) {
      return { page: { items: [] }, hasAlerts: false };
    }
    throw fault;
  }
}

/** The gateway's count of the alerts, as last asked for. */
let counted: Page<Alert> = { items: [] };

/** What is beyond those that are read, which is what the strip and the page say beside them. */
function recount(by: Page<Alert>): void {
  const state = live.get();
  counted = by;
  const left = beyond(state.alerts, counted);
  if (left.unread !== state.unread || left.unheeded !== state.unheeded) live.set({ ...state, ...left });
}

/** Counts snapshots: what an older one is still reading is not wanted any more. */
let taken = 0;

/** Reads on from a first page; `add` gets each further one. What the stream has told is newer. */
async function readOn<T>(path: string, first: Page<T>, mine: number, add: (items: T[]) => void): Promise<void> {
  let [after, read] = [first.next ?? null, first.items.length];
  while (after !== null && read < MOST) {
    const page: Page<T> = await get(`${path}&limit=${CHUNK}&after=${encodeURIComponent(after)}`);
    if (mine !== taken) return;
    add(page.items);
    [after, read] = [page.next ?? null, read + page.items.length];
  }
}

function rest(found: Page<Alert>, findings: Page<Finding>): void {
  const mine = ++taken;
  counted = found;
  const more = async () => {
    await readOn(ALERTS, found, mine, (items) => {
      const state = live.get();
      const alerts = { ...byId(items), ...state.alerts };
      live.set({ ...state, alerts, ...beyond(alerts, counted) });
    });
    await readOn(FINDINGS, findings, mine, (items) => {
      const state = live.get();
      live.set({ ...state, findings: { ...byId(items), ...state.findings } });
    });
  };
  // the first page is drawn, and can be tapped, before the next one is asked for
  setTimeout(() => void more().catch(() => mine === taken && lose()), FRAME);
}

/** The whole state, asked anew: at the start and after every lost connection. */
async function snapshot(): Promise<void> {
  const [site, now, findings, held] = await Promise.all([
    live.get().site ?? get<Site>("/site"),
    get<Now>("/now"),
    get<Page<Finding>>(`${FINDINGS}&limit=${FIRST}`),
    alerts(),
  ]);
  setZone(site.timezone);
  tell(Date.parse(now.now), now.speed);
  settle();
  live.set({
    ...live.get(),
    alerts: byId(held.page.items),
    ...beyond(byId(held.page.items), held.page),
    hasAlerts: held.hasAlerts,
    status: "live",
    heard: Date.parse(now.now),
    site,
    day: now.day,
    channels: now.channels,
    devices: now.devices,
    findings: byId(findings.items),
    kept: live.get().kept + 1,
  });
  rest(held.page, findings);
}

function lose(): void {
  source?.close();
  source = null;
  const state = live.get();
  if (state.status !== "lost") live.set({ ...state, status: "lost", heard: state.heard ?? hallNow() });
  clearTimeout(retry);
  retry = window.setTimeout(() => void connect(), RETRY);
}

function onEvent(name: string, text: string): void {
  heard = performance.now();
  if (name === "resync") return void snapshot().catch(lose);
  const data: unknown = JSON.parse(text);
  if (name === "now") tell(Date.parse((data as Now).now), (data as Now).speed);
  came.push([name, data]);
  if (!drawing) drawing = window.setTimeout(settle, FRAME);
}

/** A burst of messages is one redraw. */
function settle(): void {
  drawing = 0;
  if (!came.length) return;
  const next = came.splice(0).reduce((state, [name, data]) => reduce(state, name, data), live.get());
  live.set({ ...next, heard: hallNow() });
}

/** Opens the stream, then asks for the state: what changes in between comes through the stream. */
export async function connect(): Promise<void> {
  clearTimeout(retry);
  source?.close();
  const stream = new EventSource("/api/v1/events");
  source = stream;
  const waiting: [string, string][] = [];
  let ready = false;
  for (const name of NAMES) {
    stream.addEventListener(name, (event) => {
      const { data } = event as MessageEvent<string>;
      if (ready) onEvent(name, data);
      else waiting.push([name, data]);
    });
  }
  stream.onerror = () => source === stream && lose();
  try {
    await snapshot();
    heard = performance.now();
    ready = true;
    for (const [name, data] of waiting) onEvent(name, data);
  } catch (fault) {
    if (fault instanceof ApiError && fault.status === 401) disconnect();
    else if (source === stream) lose();
  }
}

export function disconnect(): void {
  clearTimeout(retry);
  source?.close();
  source = null;
  taken += 1;
  came.length = 0;
  live.set(EMPTY);
}

/** The hall opens, closes or sees midnight without a message: then the day told is over. */
function dayIsOver(day: Day | null): boolean {
  const now = hallNow();
  return day !== null && (day.date !== dateOf(now) || (day.next !== null && Date.parse(day.next.at) <= now));
}

async function watch(): Promise<void> {
  const { status, day } = live.get();
  if (status !== "live" || (performance.now() - heard < QUIET && !dayIsOver(day))) return;
  heard = performance.now();
  try {
    const now = await get<Now>("/now");
    tell(Date.parse(now.now), now.speed);
    live.set({ ...live.get(), day: now.day, channels: now.channels, devices: now.devices, heard: hallNow() });
  } catch (fault) {
    if (!(fault instanceof ApiError && fault.status === 401)) lose();
  }
}

/** While not all are read, others change that no message here has told of. */
async function count(): Promise<void> {
  const { status, unread } = live.get();
  const mine = taken;
  if (status !== "live" || !unread) return;
  const page = await get<Page<Alert>>(`${ALERTS}&limit=1`).catch(() => null);
  if (page && mine === taken) recount(page);
}

setInterval(() => void watch(), 5_000);
setInterval(() => void count(), 5_000);
addEventListener("online", () => live.get().status === "lost" && void connect());
signedIn.subscribe(() => signedIn.get() === false && disconnect());
