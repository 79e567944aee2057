// The queue: hints that a row wants to be looked at. The only room that speaks SQS.
import { SendMessageCommand, SQSClient, type SQSClientConfig } from "@aws-sdk/client-sqs";
import type { Home, Log } from "../context.ts";
import type { ID } from "../id.ts";
import { bodyOf } from "./body.ts";
import { deadLetters } from "./dead.ts";

export { bodyOf, parse, type Poke } from "./body.ts";

/** `letters` tells dead letters and leaves them; `redrive` loses none: sent twice at worst, and a poke may be. */
export interface Queue extends Pick<Home, "letters" | "redrive"> {
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

export function openQueue({ url, deadURL, region, endpoint, credentials, log }: QueueOptions): Queue {
  const client = new SQSClient({
    region,
    // Left to itself the client goes to the host in the queue's URL, even when an endpoint is given by environment.
    ...(endpoint !== undefined && { endpoint, useQueueUrlAsEndpoint: false }),
    ...(credentials && { credentials }),
  });
  return {
    ...deadLetters(client, { url, deadURL }),
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
