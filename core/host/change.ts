import { allow } from "../allow.ts";
import * as Audit from "../audit/index.ts";
import { type Edit, KubeFault, Refused, type Context, type Work } from "../context.ts";
import { secondsBetween } from "../condition.ts";
import { Fault, unmoved } from "../error.ts";
import type { ID } from "../id.ts";
import { limits } from "../lease.ts";
import { limitMax } from "../page.ts";
import { greet, kubeSystemOf, read } from "./greet.ts";
import { binding, carries, find, forget, target, view } from "./home.ts";
import {
  type CredentialInput,
  credentialKind,
  type Drain,
  type Host,
  hostKind,
  nameKind,
  type UpdateInput,
  type View,
} from "./schema.ts";

/** Staff are few: more than this in a row is a bug of ours, not a race. */
const triesMax = 20;

/** The generation that was read; left out, any. */
export interface Only {
  generation?: number | undefined;
}

const moving =
  "Clusters can't be moved to another host yet: it takes a backup and a restore of their etcd, which Berth does not have. " +
  "They go on where they are until they are removed.";

/**
 * Changes what is told of a host. Versions count for new clusters; the policy engine and home's ranges also for those
 * there, when they are next looked at.
 * @throws Fault `missing`, also to all but staff; `stale` with the generation that is there.
 */
export async function update(ctx: Context, id: ID<"host">, input: UpdateInput, only: Only = {}): Promise<View> {
  allow(ctx, "home:write");
  const { imagePrefix: _, address: __, ...told } = input;
  const set = Object.fromEntries(Object.entries(told).filter(([, value]) => value !== undefined));
  return await view(ctx, await change(ctx, id, { verb: "update", only, edit: () => ({ set }) }));
}

/**
 * No new clusters come to the host any more. Those there stay: the answer names them, and says why.
 * @throws Fault `missing`, also to all but staff.
 */
export async function drain(ctx: Context, id: ID<"host">): Promise<Drain> {
  allow(ctx, "home:write");
  const host = await change(ctx, id, {
    verb: "drain",
    edit: ({ state }) => (state === "draining" ? {} : { set: { state: "draining", drainingSince: ctx.now() } }),
  });
  const clusters = (await carries(ctx, id))
    .slice(0, limitMax)
    .map(({ tenant, cluster, port }) => ({ tenant, cluster, port }));
  return { host: await view(ctx, host), clusters, moving };
}

/** New clusters may come again. @throws Fault `missing`, also to all but staff. */
export async function resume(ctx: Context, id: ID<"host">): Promise<View> {
  allow(ctx, "home:write");
  const edit = ({ state }: Host): Edit =>
    state === "ready" ? {} : { set: { state: "ready" }, remove: ["drainingSince"] };
  return await view(ctx, await change(ctx, id, { verb: "resume", edit }));
}

/**
 * Takes another credential of Berth on the same cluster: it must work now. Other processes use it within a minute, so
 * the old one is to be ended after that.
 * @throws Fault `invalid` on `kubeconfig` when its server refuses it or is of another cluster; `unavailable` when it does
 * not answer; `conflict` when it can't be told which cluster the host was; `missing`, also to all but staff.
 */
export async function replaceCredential(work: Work, id: ID<"host">, input: CredentialInput): Promise<View> {
  allow(work, "home:write");
  const before = await find(work.table, id);
  const reached = await read(input.kubeconfig);
  const { runs, kubeSystem, fenced } = await greet(work, reached);
  if (kubeSystem !== (before.kubeSystem ?? (await asItWas(work, id)))) {
    const message = "is of another cluster than the one that was registered";
    throw new Fault("invalid", `The kubeconfig ${message}.`, { errors: [{ field: "kubeconfig", message }] });
  }
  const sealed = await work.seal.seal(JSON.stringify(reached), binding(work.tenant, id));
  const now = work.now();
  const known = kubeSystem === undefined ? {} : { kubeSystem };
  const set = { runs, fenced, ...known, checkedAt: now, healthyAt: now };
  await work.table.write(
    work.table.update(credentialKind, id, { set: { sealed } }),
    work.table.update(hostKind, id, { set }),
    Audit.entry(work, { verb: "host:credential", target: id, changes: ["credential"] }),
  );
  forget(work, id);
  return await view(work, { ...before, ...set });
}

/** A host of before its name was kept is asked once more with the credential that it has. */
async function asItWas(work: Work, id: ID<"host">): Promise<string | undefined> {
  try {
    return await kubeSystemOf(work.kube(await target(work, id)));
  } catch (cause) {
    if (!(cause instanceof KubeFault)) throw cause;
    const why =
      "It was not kept which cluster this host is, and its present credential gets no answer that would tell.";
    throw new Fault("conflict", why, { cause });
  }
}

/**
 * Forgets a host and Berth's credential there; on the host itself nothing is touched.
 * @throws Fault `conflict` while clusters stand there, with their number, and until it has drained for a minute: a
 * create that chose it before may still be on its way; `missing`, also to all but staff.
 */
export async function remove(ctx: Context, id: ID<"host">, only: Only = {}): Promise<void> {
  allow(ctx, "home:write");
  const host = await find(ctx.table, id);
  unmoved("host", host.generation ?? 1, only.generation);
  const { length } = await carries(ctx, id);
  if (length > 0) {
    const them = length === 1 ? "1 cluster stands" : `${length} clusters stand`;
    throw new Fault("conflict", `${them} on this host. ${moving}`);
  }
  const drained = host.drainingSince === undefined ? 0 : secondsBetween(host.drainingSince, ctx.now());
  if (drained < limits.functionSeconds) {
    const why = host.state === "draining" ? "It drains for less than a minute" : "It is not drained";
    throw new Fault(
      "conflict",
      `${why}: a new cluster may be on its way there. Drain it, and remove it a minute later.`,
    );
  }
  try {
    await ctx.table.write(
      ctx.table.remove(hostKind, id, asRead(host)),
      ctx.table.remove(nameKind, host.name),
      ctx.table.remove(credentialKind, id),
      Audit.entry(ctx, { verb: "host:remove", target: id }),
    );
  } catch (refused) {
    if (!(refused instanceof Refused) || refused.index !== 0) throw refused;
    throw new Fault("conflict", "The host was changed meanwhile; look at it again.", { cause: refused });
  }
  forget(ctx, id);
}

/** Rows of before there were generations have none. */
const asRead = ({ generation }: Host): { generation: number | { absent: true } } => ({
  generation: generation ?? { absent: true },
});

/** One change that a person makes, on the generation it was made of. An edit of nothing writes nothing. */
async function change(
  ctx: Context,
  id: ID<"host">,
  { verb, only = {}, edit }: { verb: string; only?: Only; edit: (host: Host) => Edit },
): Promise<Host> {
  for (let tries = 1; ; tries += 1) {
    const host = await find(ctx.table, id);
    unmoved("host", host.generation ?? 1, only.generation);
    const { set, remove: gone = [] } = edit(host);
    if (set === undefined) return host;
    const next = { ...set, generation: (host.generation ?? 1) + 1 };
    try {
      await ctx.table.write(
        ctx.table.update(hostKind, id, { set: next, remove: gone, when: asRead(host) }),
        Audit.entry(ctx, { verb: `host:${verb}`, target: id, changes: Object.keys(set) }),
      );
      return await find(ctx.table, id);
    } catch (refused) {
      if (!(refused instanceof Refused) || tries >= triesMax) throw refused;
    }
  }
}
