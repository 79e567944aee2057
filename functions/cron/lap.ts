import { live } from "../wire.ts";
import { round } from "./round.ts";

/** The handler of each ten minutes. */
export const main = (): Promise<{ poked: number }> => round(live());
