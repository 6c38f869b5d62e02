import { lang, t, word } from "../i18n";
import { caseHref, href } from "../route";
import type { Site } from "../types";

export interface Named {
  /** The subject's name in the site file, or its id. */
  name: string;
  /** The name of its zone, "" where it has none. */
  place: string;
}

/** What a finding is about: a circuit, opening, AC, counter, route, device or zone of the site. */
export function subjectOf(site: Site | null, subject: string, zone: string | null | undefined): Named {
  if (subject === "gateway") return { name: word("kind", "gateway"), place: "" };
  if (!site) return { name: subject, place: "" };
  const named = [site.circuits, site.openings, site.acs, site.counters, site.zones, site.routes] as { id: string; name: string }[][];
  const name = named.flat().find((thing) => thing.id === subject)?.name;
  const kept = name ? null : inLedger(subject);
  if (kept) return { name: kept.name, place: "" };
  const device = site.devices.find((d) => d.id === subject);
  const place = site.zones.find((z) => z.id === zone)?.name ?? "";
  if (name) return { name, place: name === place ? "" : place };
  return { name: device ? `${word("kind", device.kind)} ${device.id}` : subject, place };
}

/** What hangs on a channel (`pm-01/r1`): the circuit or AC that it switches, or the channel itself. */
export function switchedBy(site: Site | null, channel: string): string {
  const circuit = site?.circuits.find((c) => c.relay === channel);
  const ac = site?.acs.find((a) => a.source === channel);
  return circuit?.name ?? ac?.name ?? channel;
}

/** A case's or an appointment's number, as people read it out: `c-4908e922ff409072` is 4908E9. */
export const shortOf = (id: string): string => id.slice(id.indexOf("-") + 1).slice(0, 6).toUpperCase();

/** What a finding of the ledger is about, and where it stands there; null for anything else. */
export function inLedger(subject: string): { name: string; at: string } | null {
  if (/^c-[0-9a-f]{16}$/.test(subject)) return { name: t("subject.case", { n: shortOf(subject) }), at: caseHref(subject) };
  if (/^ap-[0-9a-f]{12}$/.test(subject)) return { name: t("subject.appointment", { n: shortOf(subject) }), at: href("ledger", "appointments") };
  if (subject.startsWith("extinguisher ")) {
    return { name: t("subject.extinguisher", { n: subject.slice(13) }), at: href("ledger", "registers", "extinguisher") };
  }
  const duty = word("duty.name", subject);
  return duty === subject ? null : { name: duty, at: href("ledger", "duties") };
}

const DIGITS = "零一二三四五六七八九十";

/** 四 → 4, 十一 → 11, 二十三 → 23. */
function number(text: string): number {
  const [tens, ones] = text.includes("十") ? text.split("十") : ["0", text];
  const digit = (part: string | undefined, none: number) => (part ? Math.max(0, DIGITS.indexOf(part)) : none);
  return text.includes("十") ? digit(tens, 1) * 10 + digit(ones, 0) : digit(ones, 0);
}

/** "安全 一.2" stays in Chinese; in English the chapter gets its English word, and 第四条 is article 4. */
export function cite(text: string): string {
  const [chapter = "", ...rest] = text.split(" ");
  const where = rest.join(" ").replace(/第([一二三四五六七八九十]+)条/g, (_, n: string) => t("cite.article", { n: lang.get() === "zh" ? n : number(n) }));
  return [word("chapter", chapter), where].filter(Boolean).join(" ");
}

export const citeAll = (cites: string[]): string => cites.map(cite).join(t("common.comma"));
