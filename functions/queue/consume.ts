import type { SQSBatchResponse, SQSEvent, SQSRecord } from "aws-lambda";
import * as Access from "#core/access/index.ts";
import * as Cluster from "#core/cluster/index.ts";
import type { Work } from "#core/context.ts";
import * as Grant from "#core/grant/index.ts";
import { type ID, nounOf } from "#core/id.ts";
import * as Invite from "#core/invite/index.ts";
import * as Project from "#core/project/index.ts";
import { parse } from "#core/queue/index.ts";
import type { Outcome } from "#core/settle.ts";
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
      told(deps, work, id, outcome);
      if (outcome.state === "gone") await Access.spread(work);
      // Its inside follows at once: who waits for a new cluster waits for an account there, and the ended leave nothing.
      if (outcome.state === "gone" || outcome.state === "settled") await inside(deps, work, id as ID<"cluster">);
      return;
    }
    case "access": {
      await granted(deps, work, id as ID<"access">);
      return;
    }
    case "outbox": {
      work.log.info("clusters were told", { id, clusters: (await Access.spread(work)).length });
      return;
    }
    case "grant": {
      work.log.info("a grant was looked at", { id, state: await Grant.expire(work, id as ID<"grant">) });
      await Access.spread(work);
      return;
    }
    case "invite": {
      work.log.info("an invite was looked at", { id, state: await Invite.expire(work, id as ID<"invite">) });
      return;
    }
    case "project": {
      const ready: Parameters<typeof Project.look>[2] = (project, cluster) => Access.isReady(work, project, cluster);
      const state = await Project.look(work, id as ID<"project">, ready);
      work.log.info("a project was looked at", { id, state });
      // The request that removed it ends these, unless it died on the way.
      if (state === "leaving" || state === "gone") await Grant.endScope(work, id as ID<"project">);
      await Access.spread(work);
      return;
    }
    case "token": {
      work.log.info("a token was looked at", { id, state: await Token.expire(work, id as ID<"token">) });
      await Access.spread(work);
      return;
    }
    case "tenant":
    case "member":
    case "team":
    case "provider":
    case "group":
    case "host":
    case "audit":
    case undefined:
      work.log.warn("a poke named what has nothing to settle", { id });
      return;
    default:
      noun satisfies never;
  }
}

const inside = (deps: Deps, work: Work, cluster: ID<"cluster">): Promise<void> =>
  granted(deps, work, Access.accessOf(cluster));

async function granted(deps: Deps, work: Work, id: ID<"access">): Promise<void> {
  const outcome = await Access.reconcile(work, id);
  told(deps, work, id, outcome);
  // What went with a cluster is told to the others, whose shares of a project may have grown by it.
  if (outcome.state === "gone") await Access.spread(work);
}

function told(deps: Deps, work: Work, id: ID, { state }: Outcome): void {
  work.log.info("settled", { id, state });
  deps.meter.count("Passes", 1, "Count", state);
}
