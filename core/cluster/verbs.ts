import { isDeepStrictEqual } from "node:util";
import { allow, type Where } from "../allow.ts";
import * as Audit from "../audit/index.ts";
import { type Change, type Context, Refused } from "../context.ts";
import { Fault, missing, unmoved } from "../error.ts";
import { type ID, newID } from "../id.ts";
import type { Page, PageInput } from "../page.ts";
import * as PKI from "../pki/index.ts";
import { merge } from "../condition.ts";
import { engineStart, wake } from "../lease.ts";
import { type Filter, pick } from "./filter.ts";
import { guard, place } from "./home.ts";
import { endpoint, serverName } from "./keys.ts";
import {
  type Cluster,
  clusterKind,
  type CreateInput,
  type Receipt,
  receiptKind,
  type UpdateInput,
  type View,
} from "./schema.ts";
import * as store from "./store.ts";

const stepsAhead = ["KeysReady", "NamespaceReady", "EtcdReady", "APIServerReady", "BootstrapReady", "ControllersReady"];
const seatTries = 20;
const where = (cluster: ID<"cluster">): Where => ({ cluster });

/**
 * Wants a cluster. It is answered in its first state; `settle` makes it.
 * @param options.also what is to be written in the same transaction, such as what others keep of it.
 * @throws Fault `invalid` with every wrong field; `conflict` when the name is taken; `unavailable` when there is no seat.
 */
export async function create(
  ctx: Context,
  input: CreateInput,
  { also }: { also?: (id: ID<"cluster">) => Change[] } = {},
): Promise<View> {
  allow(ctx, "cluster:write");
  for (let tries = 0; tries < seatTries; tries++) {
    const id = newID(ctx, "cluster");
    const { version, region, placement, seat } = await place(ctx, id, input);
    const { name, serviceCIDRs, podCIDRs, sourceRanges, labels, deletionProtection } = input;
    const now = ctx.now();
    const waiting = (type: string) =>
      ({ type, status: "False", reason: "Waiting", message: "Waits for an earlier step." }) as const;
    const cluster: Cluster = {
      id,
      tenant: ctx.tenant,
      name,
      createdAt: now,
      createdBy: ctx.actor.member,
      spec: { version, region, serviceCIDRs, podCIDRs, sourceRanges, labels, deletionProtection },
      placement,
      hostedOn: placement.host,
      status: {
        conditions: merge(
          [],
          [
            { type: "Placed", status: "True", reason: "Done", message: `In region ${region}.` },
            ...stepsAhead.map(waiting),
            waiting("Ready"),
          ],
          now,
        ),
      },
      lookAt: now,
      ...engineStart,
    };
    if ((await store.insert(ctx, cluster, seat, also?.(id) ?? [])) === "seat taken") continue;
    // A lost poke costs a minute, not a cluster: the sweep finds every unsettled row.
    await ctx.poke(cluster.id);
    return store.view(cluster);
  }
  throw new Fault("unavailable", "Too many clusters are being made at once; try again.", { retryAfterSeconds: 5 });
}

/** @throws Fault `missing`. */
export async function get(ctx: Context, id: ID<"cluster">): Promise<View> {
  allow(ctx, "cluster:read", where(id));
  return store.view(await store.get(ctx, id));
}

/**
 * Clusters that fit the filter, oldest first unless another order is asked for; with `name` the one of that name or
 * none. A page may hold fewer than there is room for and still have a `next`.
 */
export async function list(ctx: Context, page: PageInput & Filter): Promise<Page<View>> {
  allow(ctx, "cluster:read", "some");
  return await pick(ctx, page);
}

/**
 * Changes labels, deletion protection or who may reach it.
 * @param only.generation when given, the one generation that may be changed.
 * @throws Fault `missing`; `stale` when it has another generation; `conflict` when it is being removed; `invalid` for
 * source ranges that its host can't hold to.
 */
export async function update(
  ctx: Context,
  id: ID<"cluster">,
  input: UpdateInput,
  only: { generation?: number | undefined } = {},
): Promise<View> {
  allow(ctx, "cluster:write", where(id));
  if (input.sourceRanges !== undefined) {
    const { placement } = await store.get(ctx, id);
    await guard(ctx, placement.host, input.sourceRanges);
  }
  return await change(ctx, id, "cluster:update", Object.keys(input), (cluster) => {
    unmoved("cluster", cluster.generation, only.generation);
    if (cluster.deletedAt !== undefined) throw new Fault("conflict", "The cluster is being removed.");
    const spec = { ...cluster.spec };
    if (input.labels !== undefined) spec.labels = input.labels;
    if (input.deletionProtection !== undefined) spec.deletionProtection = input.deletionProtection;
    if (input.sourceRanges !== undefined) spec.sourceRanges = input.sourceRanges;
    return { spec };
  });
}

/**
 * Wants a cluster gone. A repeat changes nothing.
 * @param only.generation when given, the one generation that may be removed.
 * @throws Fault `missing`; `stale` when it has another generation; `conflict` while it is protected; `invalid` when `confirm` is given and is not its name.
 */
export async function remove(
  ctx: Context,
  id: ID<"cluster">,
  only: { confirm?: string | undefined; generation?: number | undefined },
): Promise<View> {
  allow(ctx, "cluster:write", where(id));
  const cluster = await store.get(ctx, id);
  unmoved("cluster", cluster.generation, only.generation);
  if (only.confirm !== undefined && only.confirm !== cluster.name) {
    throw new Fault("invalid", "The name does not match.", {
      errors: [{ field: "confirm", message: "must be the cluster's name" }],
    });
  }
  if (cluster.deletedAt !== undefined) return store.view(cluster);
  return await change(ctx, id, "cluster:remove", ["deletedAt"], (now) => {
    const { spec, deletedAt, generation } = now;
    unmoved("cluster", generation, only.generation);
    if (spec.deletionProtection) {
      throw new Fault("conflict", "The cluster is protected; take deletionProtection away first.", {
        errors: [{ field: "deletionProtection", message: "must be false before the cluster can be removed" }],
      });
    }
    return { deletedAt: deletedAt ?? ctx.now() };
  });
}

/** One change of what is wanted: on the generation it was made of, with its audit entry, and a poke. */
async function change(
  ctx: Context,
  id: ID<"cluster">,
  verb: string,
  changes: string[],
  edit: (cluster: Cluster) => Record<string, unknown>,
): Promise<View> {
  for (;;) {
    const cluster = await store.get(ctx, id);
    const wished = edit(cluster);
    // What is wanted already is no change: no generation, no entry, no work.
    if (isDeepStrictEqual({ ...cluster, ...wished }, cluster)) return store.view(cluster);
    const woken = wake(ctx.now());
    const set = { ...wished, generation: cluster.generation + 1, ...woken.set };
    try {
      await ctx.table.write(
        ctx.table.update(clusterKind, id, { ...woken, set, when: { generation: cluster.generation } }),
        Audit.entry(ctx, { verb, target: id, changes }),
      );
    } catch (error) {
      if (error instanceof Refused) continue;
      throw error;
    }
    await ctx.poke(id);
    return store.view({ ...cluster, ...set });
  }
}

/** What is left of a removed cluster. @throws Fault `missing` while it is there, and for what never was. */
export async function receipt(ctx: Context, id: ID<"cluster">): Promise<Receipt> {
  allow(ctx, "cluster:read", where(id));
  const found = await ctx.table.get(receiptKind, id);
  if (found === undefined) throw missing("receipt");
  return found;
}

/**
 * Waits until `condition` is True, and answers the cluster as it then is, or as it is when `seconds` are over.
 * @throws Fault `missing`, also when the cluster ends meanwhile.
 */
export async function wait(
  ctx: Context,
  id: ID<"cluster">,
  options: { condition: string; seconds: number; sleep: (ms: number) => Promise<void> },
): Promise<View> {
  allow(ctx, "cluster:read", where(id));
  const until = Date.parse(ctx.now()) + options.seconds * 1000;
  for (;;) {
    const cluster = await store.get(ctx, id);
    const met = cluster.status.conditions.some(({ type, status }) => type === options.condition && status === "True");
    if (met || Date.parse(ctx.now()) >= until) return store.view(cluster);
    await options.sleep(250);
  }
}

/**
 * A kubeconfig that holds no secret: its user is a command that fetches a short credential when kubectl asks.
 * @param options.command absolute path of a `berth` launcher, or `berth` to be found in PATH.
 * @throws Fault `missing`; `unavailable` while its keys are not made.
 */
export async function kubeconfig(ctx: Context, id: ID<"cluster">, { command }: { command: string }): Promise<string> {
  allow(ctx, "cluster:read", where(id));
  const cluster = await store.get(ctx, id);
  if (cluster.status.authority === undefined) {
    throw new Fault("unavailable", "The cluster's keys are being made.", { retryAfterSeconds: 2 });
  }
  return PKI.kubeconfig({
    name: cluster.name,
    server: endpoint(cluster),
    serverName: serverName(cluster),
    authority: cluster.status.authority,
    user: { exec: { command, args: ["credential", "--cluster", cluster.id] } },
  });
}
