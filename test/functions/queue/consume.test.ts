import type { SQSEvent } from "aws-lambda";
import { beforeEach, expect, test } from "vitest";
import { bodyOf } from "#core/queue/index.ts";
import { consume } from "#functions/queue/consume.ts";
import { newStage, type Stage } from "../stage.ts";

let stage: Stage;
let tenant: Awaited<ReturnType<Stage["tenant"]>>;
beforeEach(async () => {
  stage = newStage();
  tenant = await stage.tenant("red");
});
const event = (...bodies: string[]) =>
  ({ Records: bodies.map((body, i) => ({ messageId: `message-${i}`, body })) }) as unknown as SQSEvent;
const cluster = "cls_01k00000000000000000000001" as const;

test("what does not parse, or is newer than we are, is buried at once and acknowledged", async () => {
  const strange = [
    "no json",
    "{}",
    JSON.stringify({ tenant: tenant.id, id: "new_01k00000000000000000000001" }),
    JSON.stringify({ tenant: tenant.id, id: cluster, hurry: true }),
  ];
  expect(await consume(stage.deps, event(...strange))).toEqual({ batchItemFailures: [] });
  expect(stage.queue.dead.map(({ body }) => body)).toEqual(strange);
});

test("a message that can't be buried comes back", async () => {
  stage.deps.bury = () => Promise.reject(new Error("no dead letters"));
  expect(await consume(stage.deps, event("no json"))).toEqual({ batchItemFailures: [{ itemIdentifier: "message-0" }] });
});

test("of many, only the one whose row can't be read comes back, by its own id", async () => {
  const other = await stage.tenant("blue");
  stage.tables.before = ({ keys }) => {
    if (keys.some((key) => key.startsWith(`${other.id}/cluster/`))) throw new Error("the store is away");
  };
  const result = await stage.clock.run(
    consume(stage.deps, event(bodyOf(tenant.id, cluster), bodyOf(other.id, cluster), bodyOf(tenant.id, cluster))),
  );
  expect(result).toEqual({ batchItemFailures: [{ itemIdentifier: "message-1" }] });
  expect(stage.queue.dead).toEqual([]);
});

test("a poke of what has nothing to settle is let go", async () => {
  expect(await consume(stage.deps, event(bodyOf(tenant.id, tenant.id)))).toEqual({ batchItemFailures: [] });
  expect(stage.lines.at(-1)).toMatchObject({ level: "warn" });
});
