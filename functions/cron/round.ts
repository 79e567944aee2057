import { live } from "../wire.ts";
import { round } from "./visit.ts";

/** Each half hour's handler. */
export const main = (): ReturnType<typeof round> => round(live());
