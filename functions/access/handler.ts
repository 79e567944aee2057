import { streamHandle } from "hono/aws-lambda";
import { live } from "../wire.ts";
import { access } from "./app.ts";

/** The Function URL's handler, with response streaming. */
export const main = streamHandle(access(live()));
