import { live } from "../wire.ts";
import { beat } from "./beat.ts";

/** Each minute's handler. */
export const main = (): Promise<{ poked: number }> => beat(live());
