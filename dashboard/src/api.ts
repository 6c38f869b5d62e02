import { createStore } from "./store";
import type { Me } from "./types";

/** A refusal of the gateway, as RFC 9457 says it; `status` 0 means that it could not be reached. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly detail: string,
    /** A code of the refusal, where the gateway gives one. */
    readonly why = "",
    /** What else it says, by name. */
    readonly told: Record<string, unknown> = {},
    /** Seconds until it may be tried again, where the gateway says so; else 0. */
    readonly wait = 0,
  ) {
    super(`${status} ${detail}`);
  }
}

/** False as soon as the gateway answers 401: the frame then shows the sign-in page. */
export const signedIn = createStore<boolean | null>(null);

/** Who is signed in; pages offer only what this role may do. */
export const person = createStore<Me | null>(null);

async function call<T>(method: string, path: string, body?: unknown): Promise<T> {
  const headers: Record<string, string> = { Accept: "application/json" };
  const file = body instanceof Blob;
  if (body !== undefined) headers["Content-Type"] = file ? "text/csv" : "application/json";
  let answer: Response;
  try {
    answer = await fetch(`/api/v1${path}`, {
      method,
      headers,
      body: file || body === undefined ? body : JSON.stringify(body),
    });
  } catch (fault) {
    throw new ApiError(0, String(fault));
  }
  if (answer.status === 401 && path !== "/login") signedIn.set(false);
  if (!answer.ok) {
    const problem: unknown = await answer.json().catch(() => null);
    const told = (problem && typeof problem === "object" ? problem : {}) as Record<string, unknown>;
    const text = (name: string) => (typeof told[name] === "string" ? told[name] : "");
    throw new ApiError(answer.status, text("detail"), text("why"), told, Number(answer.headers.get("Retry-After")) || 0);
  }
  if (answer.status === 204) return undefined as T;
  return (await answer.json()) as T;
}

export const get = <T>(path: string): Promise<T> => call<T>("GET", path);
export const post = <T>(path: string, body: unknown = {}): Promise<T> => call<T>("POST", path, body);

export const send = <T>(method: "POST" | "DELETE", path: string, body?: unknown): Promise<T> => call<T>(method, path, body);

/** All pages of a list. The gateway's cursors end with `next: null`. */
export async function list<T>(path: string, most = 2000): Promise<T[]> {
  const items: T[] = [];
  let after: string | number | null = null;
  do {
    const glue = path.includes("?") ? "&" : "?";
    const query: string = after === null ? path : `${path}${glue}after=${encodeURIComponent(after)}`;
    const page: { items: T[]; next?: string | number | null } = await get(query);
    items.push(...page.items);
    after = page.next ?? null;
  } while (after !== null && items.length < most);
  return items;
}

/** `?a=1&b=2` of what is set. */
export function query(values: Record<string, string | number | boolean | null | undefined>): string {
  const set = Object.entries(values).filter(([, v]) => v !== null && v !== undefined);
  return set.length ? `?${set.map(([k, v]) => `${k}=${encodeURIComponent(String(v))}`).join("&")}` : "";
}
