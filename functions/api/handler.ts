import { streamHandle } from "hono/aws-lambda";
import { live } from "../wire.ts";
import { api } from "./app.ts";

/** The Function URL's handler, with response streaming. */
export const main = streamHandle(api(live()));
