import { t, word } from "../i18n";
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
  const device = site.devices.find((d) => d.id === subject);
  const place = site.zones.find((z) => z.id === zone)?.name ?? "";
  if (name) return { name, place: name === place ? "" : place };
  return { name: device ? `${word("kind", device.kind)} ${device.id}` : subject, place };
}

/** "安全 一.2" stays in Chinese; in English the chapter gets its English word. */
export function cite(text: string): string {
  const [chapter = "", ...rest] = text.split(" ");
  return [word("chapter", chapter), ...rest].join(" ");
}

export const citeAll = (cites: string[]): string => cites.map(cite).join(t("common.comma"));
