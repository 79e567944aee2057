import { Logger } from "@aws-lambda-powertools/logger";
import type { Log } from "#core/context.ts";

/** JSON lines on stdout. Callers name each field, so nothing gets in that nobody meant. */
export function newLog(service: string): Log {
  const logger = new Logger({ serviceName: service });
  return {
    info: (message, fields) => logger.info(message, { ...fields }),
    warn: (message, fields) => logger.warn(message, { ...fields }),
    error: (message, fields) => logger.error(message, { ...fields }),
  };
}

/** The stacks of an error and of all its causes, for a log line and never for an answer. */
export function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return `thrown: ${typeof error}`;
  const own = error.stack ?? error.message;
  return error.cause === undefined ? own : `${own}\ncaused by: ${stackOf(error.cause)}`;
}
