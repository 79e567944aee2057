import type { Context } from "#core/context.ts";
import type { ID } from "#core/id.ts";
import type { Deps } from "../deps.ts";
import type { Rates } from "./rate.ts";

/** What a request carries along on its way through a door. */
export interface Env {
  Variables: {
    deps: Deps;
    requestID: string;
    ctx: Context;
    /** The cluster that the path names; not there on routes that are open to anyone. */
    named?: { cluster?: ID };
    /** Whether the caller still may: for answers that go on for long. It costs a read each 10 s at most; `fresh`, each time. */
    still: (options?: { fresh?: boolean }) => Promise<void>;
    rates: Rates;
    /** Another request to this door, as if it came from where this one did. */
    again: (path: string, init: RequestInit) => Promise<Response>;
  };
}
