import type { Me } from "../../types";

const LEADS = ["manager", "admin"];
const HOUSE = ["facilities", ...LEADS];
const DESK = ["duty", ...HOUSE];

const TABLE = {
  /** Everything but the duties. */
  read: [...DESK, "counter", "auditor"],
  open: [...DESK, "counter"],
  contact: ["duty", ...LEADS],
  record: DESK,
  move: HOUSE,
  write: [...DESK, "counter"],
  approve: HOUSE,
  strike: HOUSE,
  book: [...DESK, "counter"],
  judge: DESK,
  unbook: LEADS,
  punches: [...LEADS, "auditor"],
  import: LEADS,
} as const satisfies Record<string, readonly string[]>;

/** Whether this person may do so: what they may not do is not offered. The gateway holds the table. */
export const may = (me: Me | null, what: keyof typeof TABLE): boolean =>
  me !== null && (TABLE[what] as readonly string[]).includes(me.role);

const CENTRE = ["bad-rating", "complaint"];

/** The kinds of case that this person may register. */
export const opens = (me: Me | null, kind: string): boolean =>
  may(me, "open") && (me?.role !== "counter" || !CENTRE.includes(kind));
