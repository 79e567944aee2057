import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  type SQSClient,
} from "@aws-sdk/client-sqs";
import type { Home, Letter } from "../context.ts";
import { parse } from "./body.ts";

/** What SQS put away by itself carries no reason of ours. */
export const reasonOfQueue = "failed too often";
const batch = 10;
/** While we hold a letter nobody else is told of it; should we die meanwhile, it is back after so long. */
const holdSeconds = 60;
/** How many letters one call may hold; beyond it what can't be read could keep a redrive busy for ever. */
const heldMax = 500;

/** The dead letters of a queue. Each call holds what it met until it ends, so it meets no letter twice. */
export function deadLetters(
  client: SQSClient,
  { url, deadURL }: { url: string; deadURL: string },
): Pick<Home, "letters" | "redrive"> {
  /** Each letter once, until there are none, `enough` says so, or too many are held. Those still held are let go. */
  async function each(visit: (message: Message) => Promise<"held" | "gone">, enough: () => boolean): Promise<void> {
    const held = new Map<string, string>();
    try {
      while (!enough() && held.size < heldMax) {
        const asked = {
          QueueUrl: deadURL,
          MaxNumberOfMessages: batch,
          VisibilityTimeout: holdSeconds,
          // Without waiting SQS asks some of its servers only, and may answer that there is nothing.
          WaitTimeSeconds: 1,
          MessageSystemAttributeNames: ["SentTimestamp" as const],
          MessageAttributeNames: ["reason"],
        };
        const { Messages = [] } = await client.send(new ReceiveMessageCommand(asked));
        if (Messages.length === 0) return;
        for (const message of Messages) held.set(message.MessageId ?? "", message.ReceiptHandle ?? "");
        for (const message of Messages) {
          if (!enough() && (await visit(message)) === "gone") held.delete(message.MessageId ?? "");
        }
      }
    } finally {
      await letGo([...held.values()]);
    }
  }

  async function letGo(handles: string[]): Promise<void> {
    for (let at = 0; at < handles.length; at += batch) {
      const Entries = handles
        .slice(at, at + batch)
        .map((ReceiptHandle, i) => ({ Id: String(i), ReceiptHandle, VisibilityTimeout: 0 }));
      // What can't be let go comes back by itself when its time is over.
      await client.send(new ChangeMessageVisibilityBatchCommand({ QueueUrl: deadURL, Entries })).catch(() => undefined);
    }
  }

  return {
    async letters(limit) {
      const told: Letter[] = [];
      await each(
        async (message) => {
          told.push(letterOf(message));
          return "held";
        },
        () => told.length >= limit,
      );
      return told;
    },
    async redrive(limit) {
      let sent = 0;
      await each(
        async ({ Body = "", ReceiptHandle }) => {
          const poke = parse(Body);
          if (poke === undefined) return "held";
          // Sent before it is deleted: whoever dies in between has poked twice, which is harmless.
          await client.send(new SendMessageCommand({ QueueUrl: url, MessageBody: Body, MessageGroupId: poke.tenant }));
          await client.send(new DeleteMessageCommand({ QueueUrl: deadURL, ReceiptHandle }));
          sent += 1;
          return "gone";
        },
        () => sent >= limit,
      );
      return sent;
    },
  };
}

const letterOf = ({ MessageId, Body, Attributes, MessageAttributes }: Message): Letter => ({
  id: MessageId ?? "",
  sentAt: new Date(Number(Attributes?.SentTimestamp ?? 0)).toISOString(),
  reason: MessageAttributes?.["reason"]?.StringValue ?? reasonOfQueue,
  poke: parse(Body ?? ""),
});
