import type { Me } from "../../types";

const DESK = ["duty", "facilities", "manager", "admin"];
const HOUSE = ["facilities", "manager", "admin"];

/** Who acknowledges, signs, switches and keeps shifts. */
export const mayServe = (me: Me | null): boolean => me !== null && DESK.includes(me.role);

/** Who gives permits and resets what is manual. */
export const mayPermit = (me: Me | null): boolean => me !== null && HOUSE.includes(me.role);
