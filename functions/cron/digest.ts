import { live } from "../wire.ts";
import { digest } from "./chain.ts";

/** Each minute's handler that seals the audit. */
export const main = (): ReturnType<typeof digest> => digest(live());
