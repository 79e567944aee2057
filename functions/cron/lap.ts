import { live } from "../wire.ts";
import { lap } from "./survey.ts";

/** The handler of each ten minutes. */
export const main = (): ReturnType<typeof lap> => lap(live());
