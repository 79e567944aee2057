import { setTimeout } from "node:timers/promises";
import { Fault } from "../error.ts";

/** How often one call is sent at most, and how long it waits in between (full jitter), in milliseconds. */
export const attemptsMax = 8;
const waitFirst = 25;
const waitMax = 1_000;

const passing = new Set([
  "TransactionConflictException",
  "TransactionInProgressException",
  "ProvisionedThroughputExceededException",
  "ThrottlingException",
  "RequestLimitExceeded",
  "InternalServerError",
  "ServiceUnavailable",
  "TimeoutError",
]);
const cut = new Set(["ECONNRESET", "ECONNREFUSED", "EPIPE", "ETIMEDOUT", "ENOTFOUND", "EAI_AGAIN", "EHOSTUNREACH"]);

/** Says in its name that it may be tried again: what a transaction was cancelled for, or keys that were left over. */
export class Passing extends Error {}

/**
 * Sends until it works or the budget is spent. The only layer that retries: the SDK is told to send once.
 * @throws Fault `unavailable` when the budget is spent; a write may then have happened or not.
 */
export async function patiently<T>(send: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await send();
    } catch (cause) {
      if (!mayPass(cause)) throw cause;
      if (attempt >= attemptsMax) {
        throw new Fault("unavailable", "The table does not answer.", { retryAfterSeconds: 1, cause });
      }
      await setTimeout(Math.random() * Math.min(waitMax, waitFirst * 2 ** attempt));
    }
  }
}

function mayPass(cause: unknown): boolean {
  if (cause instanceof Passing) return true;
  if (!(cause instanceof Error)) return false;
  const { code, $metadata } = cause as Error & { code?: unknown; $metadata?: { httpStatusCode?: number } };
  return (
    passing.has(cause.name) || (typeof code === "string" && cut.has(code)) || ($metadata?.httpStatusCode ?? 0) >= 500
  );
}
