import { bootstrap } from "#core/tenant/index.ts";
import { live } from "../wire.ts";

/**
 * Invoked by hand, with `{}`: makes the platform's own tenant where there is none, and answers a new token of its staff
 * robot. It needs the right to invoke this function, and nothing calls it otherwise.
 */
export const main = async (): Promise<{ token: string }> => ({ token: await bootstrap(live()) });
