// The queue on one machine: fauxqs, in memory and in process; messages are hints, so a restart loses nothing.
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import type { SQSBatchResponse, SQSEvent } from "aws-lambda";
import { buildApp } from "fauxqs";
import type { Log } from "#core/context.ts";

/** 6 times a function's time, as Lambda wants it, and how often a message may fail before it is dead. */
const visibilitySeconds = 6 * 60;
const receivesMax = 5;

const account = { region: "us-east-1", credentials: { accessKeyId: "local", secretAccessKey: "local" } };

export interface LocalQueue {
  endpoint: string;
  url: string;
  deadURL: string;
  region: string;
  credentials: { accessKeyId: string; secretAccessKey: string };
  stop: () => Promise<void>;
}

/** Starts the server on `http://127.0.0.1:port` (0: a free one) and makes the queue and its dead letters. */
export async function startQueue({ port, name = "berth" }: { port: number; name?: string }): Promise<LocalQueue> {
  // Its own start function listens on every interface, whatever host it is given.
  const app = buildApp({ logger: false });
  const endpoint = await app.listen({ port, host: "127.0.0.1" });
  const client = new SQSClient({ ...account, endpoint });
  try {
    const deadURL = (await client.send(new CreateQueueCommand({ QueueName: `${name}-dead` }))).QueueUrl ?? "";
    const asked = new GetQueueAttributesCommand({ QueueUrl: deadURL, AttributeNames: ["QueueArn"] });
    const { Attributes } = await client.send(asked);
    const RedrivePolicy = JSON.stringify({
      deadLetterTargetArn: Attributes?.["QueueArn"],
      maxReceiveCount: receivesMax,
    });
    const create = new CreateQueueCommand({
      QueueName: name,
      Attributes: { VisibilityTimeout: String(visibilitySeconds), RedrivePolicy },
    });
    const url = (await client.send(create)).QueueUrl ?? "";
    return { ...account, endpoint, url, deadURL, stop: async () => app.close() };
  } catch (cause) {
    await app.close();
    throw cause;
  } finally {
    client.destroy();
  }
}

export interface PollOptions {
  queue: Pick<LocalQueue, "endpoint" | "url" | "region" | "credentials">;
  /** A Lambda handler; it gets one record at a time. */
  handler: (event: SQSEvent) => Promise<SQSBatchResponse | void>;
  /** How many handlers run at once. */
  concurrency?: number;
  signal: AbortSignal;
  log: Pick<Log, "error">;
}

/**
 * Feeds the handler as Lambda does, until `signal` aborts; then it takes no more and resolves once what runs has ended.
 * A message is deleted when its handler succeeds, and left to its visibility when not.
 */
export async function poll({ queue, handler, concurrency = 16, signal, log }: PollOptions): Promise<void> {
  const { endpoint, region, credentials, url: QueueUrl } = queue;
  const client = new SQSClient({ endpoint, region, credentials, useQueueUrlAsEndpoint: false });
  const running = new Set<Promise<void>>();

  async function one(message: Message): Promise<void> {
    try {
      const answer = await handler({ Records: [recordOf(message, region)] });
      if (answer && answer.batchItemFailures.length > 0) return;
      await client.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }));
    } catch (cause) {
      log.error("a message failed", { messageID: message.MessageId, cause: String(cause) });
    }
  }

  while (!signal.aborted) {
    try {
      const MaxNumberOfMessages = Math.min(10, concurrency - running.size);
      const receive = new ReceiveMessageCommand({
        QueueUrl,
        MaxNumberOfMessages,
        WaitTimeSeconds: 20,
        MessageSystemAttributeNames: ["All"],
      });
      const { Messages = [] } = await client.send(receive, { abortSignal: signal });
      for (const message of Messages) {
        const work = one(message).finally(() => running.delete(work));
        running.add(work);
      }
    } catch (cause) {
      if (!signal.aborted) {
        log.error("the queue does not answer", { cause: String(cause) });
        await pause(1_000, signal);
      }
    }
    if (running.size >= concurrency) await Promise.race(running);
  }
  await Promise.all(running);
  client.destroy();
}

const pause = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal.addEventListener("abort", end);
  });

/** A message in the form in which Lambda hands it over. */
function recordOf(message: Message, awsRegion: string): SQSEvent["Records"][number] {
  const { ApproximateReceiveCount, SentTimestamp, SenderId, ApproximateFirstReceiveTimestamp } =
    message.Attributes ?? {};
  return {
    messageId: message.MessageId ?? "",
    receiptHandle: message.ReceiptHandle ?? "",
    body: message.Body ?? "",
    attributes: {
      ApproximateReceiveCount: ApproximateReceiveCount ?? "1",
      SentTimestamp: SentTimestamp ?? "0",
      SenderId: SenderId ?? "local",
      ApproximateFirstReceiveTimestamp: ApproximateFirstReceiveTimestamp ?? "0",
    },
    messageAttributes: {},
    md5OfBody: message.MD5OfBody ?? "",
    eventSource: "aws:sqs",
    eventSourceARN: "arn:aws:sqs:local:000000000000:berth",
    awsRegion,
  };
}
