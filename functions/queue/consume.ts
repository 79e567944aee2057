import type { SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import * as Cluster from "#core/cluster/index.ts";
import type { Work } from "#core/context.ts";
import { type ID, nounOf } from "#core/id.ts";
import { parse } from "#core/queue/index.ts";
import * as Token from "#core/token/index.ts";
import { contextOf, type Deps, system, workOf } from "../deps.ts";
import { stackOf } from "../log.ts";

/**
 * Settles what each message names. One that fails is named by its own id, so only it comes back; one that is not
 * ours, or newer than we are, goes to the dead letters at once and is acknowledged.
 */
export async function consume(deps: Deps, event: SQSEvent): Promise<SQSBatchResponse> {
  const results = await Promise.allSettled(event.Records.map((record) => one(deps, record)));
  const batchItemFailures = event.Records.flatMap(({ messageId }, i) => {
    const result = results[i];
    if (result?.status !== "rejected") return [];
    deps.log.error("a message failed", { message: messageId, stack: stackOf(result.reason) });
    return [{ itemIdentifier: messageId }];
  });
  return { batchItemFailures };
}

async function one(deps: Deps, { body, messageId, attributes }: SQSRecord): Promise<void> {
  const sentAt = Number((attributes as SQSRecord["attributes"] | undefined)?.SentTimestamp);
  if (sentAt > 0) deps.meter.count("QueueAge", Math.max(0, Date.parse(deps.now()) - sentAt) / 1000, "Seconds");
  const poke = parse(body);
  if (poke === undefined) {
    await deps.bury(body, "it does not parse, or is newer than this release");
    deps.log.warn("a message was buried", { message: messageId });
    return;
  }
  const about = nounOf(poke.id) === "cluster" ? { cluster: poke.id } : {};
  const ctx = contextOf(deps, system(poke.tenant), messageId, about);
  await settle(deps, await workOf(deps, ctx), poke.id);
}

/** By noun, and every noun is named: a new one that nobody settles does not compile. */
async function settle(deps: Deps, work: Work, id: ID): Promise<void> {
  const noun = nounOf(id);
  switch (noun) {
    case "cluster": {
      const outcome = await Cluster.reconcile(work, id as ID<"cluster">);
      work.log.info("settled", { id, state: outcome.state });
      deps.meter.count("Passes", 1, "Count", outcome.state);
      return;
    }
    case "token": {
      work.log.info("a token was looked at", { id, state: await Token.expire(work, id as ID<"token">) });
      return;
    }
    case "tenant":
    case "member":
    case "host":
    case "audit":
    case undefined:
      work.log.warn("a poke named what has nothing to settle", { id });
      return;
    default:
      noun satisfies never;
  }
}
