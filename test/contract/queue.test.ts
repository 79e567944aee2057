import { randomBytes } from "node:crypto";
import {
  ChangeMessageVisibilityCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from "@aws-sdk/client-sqs";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type ID, newID } from "#core/id.ts";
import { bodyOf, openQueue, parse, type Queue } from "#core/queue/index.ts";
import { type LocalQueue, poll, startQueue } from "../../local/queue.ts";
import { newQueue } from "../world/queue.ts";
import { freePort } from "./wire.ts";

const chance = { now: () => "2027-03-01T12:00:00.000Z", random: (bytes: number) => new Uint8Array(randomBytes(bytes)) };
const tenant = newID(chance, "tenant");
const ids = Array.from({ length: 20 }, () => newID(chance, "cluster"));
const [first, second] = ids as [ID<"cluster">, ID<"cluster">];

interface World {
  queue: Queue;
  /** Hands out all that waits, once each; a letter whose handler throws waits again. */
  drain: (handle: (body: string) => Promise<void>) => Promise<void>;
  dead: () => Promise<{ body: string; reason: string | undefined }[]>;
}

let count = 0;
let local: LocalQueue | undefined;
afterAll(async () => local?.stop());

const inMemory = async (): Promise<World> => {
  const world = newQueue();
  const queue = { ...world, letters: world.tell };
  return { queue, drain: async (handle) => void (await world.drain(handle)), dead: async () => world.dead };
};

/** One queue server for each test, as its queues would else be shared. */
const onWire = async (): Promise<World> => {
  const server = await startQueue({ port: 0, name: `q${(count += 1)}` });
  onTestFinished(server.stop);
  const queue = openQueue({ ...server, log: { warn() {} } });
  const client = new SQSClient({ ...server, useQueueUrlAsEndpoint: false });
  onTestFinished(() => client.destroy());
  onTestFinished(() => queue.close());
  const receive = async (QueueUrl: string) => {
    const asked = { QueueUrl, MaxNumberOfMessages: 10, WaitTimeSeconds: 0, MessageAttributeNames: ["All"] };
    return (await client.send(new ReceiveMessageCommand(asked))).Messages ?? [];
  };
  return {
    queue,
    async drain(handle) {
      const failed: string[] = [];
      for (let batch = await receive(server.url); batch.length > 0; batch = await receive(server.url)) {
        for (const { Body, ReceiptHandle } of batch) {
          await handle(Body ?? "").catch(() => failed.push(ReceiptHandle ?? ""));
        }
      }
      for (const ReceiptHandle of failed) {
        const again = { QueueUrl: server.url, ReceiptHandle, VisibilityTimeout: 0 };
        await client.send(new ChangeMessageVisibilityCommand(again));
      }
    },
    dead: async () =>
      (await receive(server.deadURL)).map(({ Body, MessageAttributes }) => ({
        body: Body ?? "",
        reason: MessageAttributes?.["reason"]?.StringValue,
      })),
  };
};

describe.each([
  ["the queue in memory", inMemory],
  ["fauxqs", onWire],
] as const)("%s", (_name, open) => {
  test("a poke carries tenant and id and nothing else, and reads back", async () => {
    const { queue, drain } = await open();
    await queue.poke(tenant, first);
    await queue.poke(tenant, second);
    const bodies: string[] = [];
    await drain(async (body) => void bodies.push(body));
    expect(bodies.toSorted()).toEqual([first, second].map((id) => `{"tenant":"${tenant}","id":"${id}"}`).toSorted());
    expect(bodies.map((body): string => parse(body)?.id ?? "").toSorted()).toEqual([first, second].toSorted());
  });

  test("equal pokes are not taken for one", async () => {
    const { queue, drain } = await open();
    await queue.poke(tenant, first);
    await queue.poke(tenant, first);
    const bodies: string[] = [];
    await drain(async (body) => void bodies.push(body));
    expect(bodies).toHaveLength(2);
  });

  test("a buried body is among the dead letters, with the reason", async () => {
    const { queue, drain, dead } = await open();
    await queue.bury("{ from tomorrow, Grüße 東京", "it does not parse");
    expect(await dead()).toEqual([{ body: "{ from tomorrow, Grüße 東京", reason: "it does not parse" }]);
    await drain(async () => expect.unreachable("nothing waits"));
  });

  test("dead letters are told once each and stay; what is not ours is told without its words", async () => {
    const { queue, drain } = await open();
    const nobody = async (): Promise<void> => expect.unreachable("nothing waits");
    for (const [i, id] of ids.slice(0, 12).entries()) await queue.bury(bodyOf(tenant, id), `reason ${i}`);
    await queue.bury("secrets of a stranger", "it does not parse");
    for (const limit of [100, 100, 13]) {
      const told = await queue.letters(limit);
      expect(new Set(told.map(({ id }) => id)).size).toBe(13);
      const said = [...ids.slice(0, 12).map((id, i) => `reason ${i} ${id}`), "it does not parse undefined"];
      expect(told.map(({ reason, poke }) => `${reason} ${poke?.id}`).toSorted()).toEqual(said.toSorted());
      expect(JSON.stringify(told)).not.toContain("stranger");
      for (const { sentAt } of told) expect(new Date(sentAt).toISOString()).toBe(sentAt);
    }
    expect(await queue.letters(2)).toHaveLength(2);
    await drain(nobody);
  });

  test("redrive sends each readable letter back once, up to the limit, and leaves the rest", async () => {
    const { queue, drain, dead } = await open();
    await queue.bury("not ours", "it does not parse");
    for (const id of ids.slice(0, 12)) await queue.bury(bodyOf(tenant, id), "of old");
    expect(await queue.redrive(2)).toBe(2);
    expect(await queue.redrive(100)).toBe(10);
    expect(await queue.redrive(100)).toBe(0);
    const came: string[] = [];
    await drain(async (body) => void came.push(parse(body)?.id ?? ""));
    expect(came.toSorted()).toEqual(ids.slice(0, 12).toSorted());
    expect((await dead()).map(({ body }) => body)).toEqual(["not ours"]);
  });

  test("a message whose handler fails comes back, five times in all, and then is dead", async () => {
    const { queue, drain, dead } = await open();
    await queue.poke(tenant, first);
    let tries = 0;
    for (let round = 0; round < 8; round += 1) {
      await drain(async () => {
        tries += 1;
        throw new Error("not today");
      });
    }
    expect(tries).toBe(5);
    expect((await dead()).map(({ body }) => parse(body)?.id)).toEqual([first]);
  });
});

test("a poke that can't be sent is told to the log and never thrown; a burial that fails is thrown", async () => {
  const lines: unknown[] = [];
  const endpoint = `http://127.0.0.1:${await freePort()}`;
  const queue = openQueue({
    endpoint,
    url: `${endpoint}/0/none`,
    deadURL: `${endpoint}/0/dead`,
    region: "local",
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
    log: { warn: (message, fields) => lines.push([message, fields?.["id"]]) },
  });
  await queue.poke(tenant, first);
  expect(lines).toEqual([["a poke was lost", first]]);
  await expect(queue.bury("x", "y")).rejects.toThrow();
  queue.close();
});

test("a letter that can't be sent again stays dead, and is told at once", async () => {
  const server = await startQueue({ port: 0, name: "stuck" });
  onTestFinished(server.stop);
  const queue = openQueue({ ...server, url: `${server.url}-that-is-gone`, log: { warn() {} } });
  onTestFinished(() => queue.close());
  await queue.bury(bodyOf(tenant, first), "of old");
  await expect(queue.redrive(10)).rejects.toThrow();
  expect((await queue.letters(10)).map(({ poke }) => poke?.id)).toEqual([first]);
});

test("an endpoint given in code is used, whatever host the queue's address names", async () => {
  local = await startQueue({ port: 0 });
  const url = local.url.replace(/127\.0\.0\.1:\d+/, "sqs.us-east-1.localhost:1");
  const lines: unknown[] = [];
  const queue = openQueue({ ...local, url, log: { warn: (line) => lines.push(line) } });
  await queue.poke(tenant, first);
  queue.close();
  expect(lines).toEqual([]);
});

describe("the poller", () => {
  let server: LocalQueue;
  let queue: Queue;
  beforeAll(async () => {
    server = await startQueue({ port: 0, name: "polled" });
    queue = openQueue({ ...server, log: { warn() {} } });
  });
  afterAll(async () => {
    queue.close();
    await server.stop();
  });

  test("hands over one record at a time, sixteen at once, and deletes only what succeeded", async () => {
    await Promise.all(ids.map((id) => queue.poke(tenant, id)));
    const end = new AbortController();
    let running = 0;
    let most = 0;
    const sizes = new Set<number>();
    const seen: string[] = [];
    let open = (): void => {};
    const gate = new Promise<void>((resolve) => {
      open = resolve;
    });
    const polling = poll({
      queue: server,
      signal: end.signal,
      log: { error() {} },
      async handler({ Records }) {
        running += 1;
        most = Math.max(most, running);
        sizes.add(Records.length);
        seen.push(parse(Records[0]?.body ?? "")?.id ?? "");
        if (running === 16) open();
        await gate;
        running -= 1;
        if (seen.length === ids.length) end.abort();
        if (Records[0]?.body.includes(first)) throw new Error("not this one");
        if (Records[0]?.body.includes(second)) return { batchItemFailures: [{ itemIdentifier: Records[0].messageId }] };
      },
    });
    await polling;
    expect([most, running, [...sizes]]).toEqual([16, 0, [1]]);
    expect(seen.toSorted()).toEqual(ids.toSorted());
    const client = new SQSClient({ ...server, useQueueUrlAsEndpoint: false });
    onTestFinished(() => client.destroy());
    const asked = new GetQueueAttributesCommand({ QueueUrl: server.url, AttributeNames: ["All"] });
    const { Attributes } = await client.send(asked);
    expect(Attributes).toMatchObject({ ApproximateNumberOfMessages: "0", ApproximateNumberOfMessagesNotVisible: "2" });
    expect(Attributes?.["VisibilityTimeout"]).toBe("360");
  });

  test("ends at once when nothing waits", async () => {
    const end = new AbortController();
    const polling = poll({ queue: server, signal: end.signal, log: { error() {} }, handler: async () => {} });
    const began = performance.now();
    setImmediate(() => end.abort());
    await polling;
    expect(performance.now() - began).toBeLessThan(5_000);
  });
});
