import { createStore } from "./store";

/** Pages live behind the hash, so that any static server and any path serves them. */
export const PAGES = ["overview", "alerts", "duty", "energy", "safety", "ratings", "ledger", "reports", "devices", "rules", "accounts"] as const;
export type PageId = (typeof PAGES)[number];

export interface Route {
  page: PageId;
  rest: string[];
}

export function parse(hash: string): Route {
  const [first = "", ...rest] = hash.replace(/^#\/?/, "").split("/").map(decodeURIComponent);
  const page = PAGES.find((p) => p === first) ?? "overview";
  return { page, rest: rest.filter(Boolean) };
}

export const href = (page: PageId, ...rest: string[]): string =>
  `#/${[page, ...rest].map(encodeURIComponent).join("/")}`;

export const findingHref = (id: string): string => href("safety", "finding", id);
export const caseHref = (id: string): string => href("ledger", "cases", id);
export const alertHref = (id: string): string => href("alerts", id);

export const route = createStore<Route>(parse(location.hash));

addEventListener("hashchange", () => {
  route.set(parse(location.hash));
  scrollTo(0, 0);
});
