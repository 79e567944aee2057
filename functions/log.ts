import type { Log } from "#core/context.ts";

/**
 * JSON lines on stdout, of the form that CloudWatch's own tools know. Callers name each field, so nothing gets in that
 * nobody meant. By hand, as it is on the way of every request and a logger takes four times as long.
 */
export function newLog(service: string): Log {
  const to = (level: "INFO" | "WARN" | "ERROR") => (message: string, fields?: Record<string, unknown>) => {
    const timestamp = new Date().toISOString();
    process.stdout.write(`${JSON.stringify({ level, message, timestamp, service, ...fields })}\n`);
  };
  return { info: to("INFO"), warn: to("WARN"), error: to("ERROR") };
}

/** The stacks of an error and of all its causes, for a log line and never for an answer. */
export function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return `thrown: ${typeof error}`;
  const own = error.stack ?? error.message;
  return error.cause === undefined ? own : `${own}\ncaused by: ${stackOf(error.cause)}`;
}
