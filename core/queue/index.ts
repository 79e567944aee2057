// The queue: hints that a row wants to be looked at. The only room that speaks SQS.
import { SendMessageCommand, SQSClient, type SQSClientConfig } from "@aws-sdk/client-sqs";
import * as z from "zod";
import type { Log } from "../context.ts";
import { type ID, idOf, nounOf } from "../id.ts";

/** What a message says: that this row wants to be looked at, and nothing else. */
export interface Poke {
  tenant: ID<"tenant">;
  id: ID;
}

export interface Queue {
  /** Sends a hint. Never throws and ends within 3 s: a lost one costs a minute, as the sweep finds the row. */
  poke(tenant: ID<"tenant">, id: ID): Promise<void>;
  /**
   * Puts a body that can't be worked on to the dead letters, with the reason.
   * @throws Error when that fails: the caller must not acknowledge the message then.
   */
  bury(body: string, reason: string): Promise<void>;
  /** Closes the connections. */
  close(): void;
}

/** How to reach the two queues. */
export interface QueueOptions {
  url: string;
  deadURL: string;
  region: string;
  /** Where SQS is, when it is not AWS's. The host in `url` is not used then. */
  endpoint?: string;
  credentials?: NonNullable<SQSClientConfig["credentials"]>;
  log: Pick<Log, "warn">;
}

const pokeMilliseconds = 3_000;

const Poke = z.strictObject({
  tenant: idOf("tenant"),
  id: z.custom<ID>((value) => typeof value === "string" && nounOf(value) !== undefined),
});

/** The body of a message, in its one form. */
export const bodyOf = (tenant: ID<"tenant">, id: ID): string => JSON.stringify({ tenant, id } satisfies Poke);

/**
 * Reads a body. Undefined for what this release does not know to the letter: no JSON, another key, an id of an unknown
 * noun. Such a message is newer than we are or broken; it belongs to the dead letters.
 */
export function parse(body: string): Poke | undefined {
  try {
    return Poke.safeParse(JSON.parse(body)).data;
  } catch {
    // Only JSON.parse throws here.
    return undefined;
  }
}

export function openQueue({ url, deadURL, region, endpoint, credentials, log }: QueueOptions): Queue {
  const client = new SQSClient({
    region,
    // Left to itself the client goes to the host in the queue's URL, even when an endpoint is given by environment.
    ...(endpoint !== undefined && { endpoint, useQueueUrlAsEndpoint: false }),
    ...(credentials && { credentials }),
  });
  return {
    async poke(tenant, id) {
      // The group is for fairness between tenants only; the queue is not FIFO, which would swallow equal bodies.
      const command = new SendMessageCommand({
        QueueUrl: url,
        MessageBody: bodyOf(tenant, id),
        MessageGroupId: tenant,
      });
      try {
        await client.send(command, { abortSignal: AbortSignal.timeout(pokeMilliseconds) });
      } catch (cause) {
        log.warn("a poke was lost", { tenant, id, cause: cause instanceof Error ? cause.name : "unknown" });
      }
    },
    async bury(body, reason) {
      const MessageAttributes = { reason: { DataType: "String", StringValue: reason } };
      await client.send(new SendMessageCommand({ QueueUrl: deadURL, MessageBody: body, MessageAttributes }));
    },
    close: () => client.destroy(),
  };
}
