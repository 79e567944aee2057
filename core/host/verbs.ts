import { allow } from "../allow.ts";
import * as Audit from "../audit/index.ts";
import { type Context, KubeFault, Refused, type Work } from "../context.ts";
import { Fault } from "../error.ts";
import { type ID, newID } from "../id.ts";
import type { Page, PageInput } from "../page.ts";
import { fences, greet, kubeSystemOf, read } from "./greet.ts";
import { binding, find, look, target, view } from "./home.ts";
import { credentialKind, type Host, hostKind, nameKind, type RegisterInput, type View } from "./schema.ts";

/**
 * Takes a Kubernetes cluster on as a host, after it has answered once.
 * @throws Fault `invalid` on `kubeconfig` when it can't be read or its server refuses it; `unavailable` when the
 * server does not answer; `conflict` when the name is taken; `missing` to all but staff.
 */
export async function register(work: Work, input: RegisterInput): Promise<View> {
  allow(work, "home:write");
  const { kubeconfig, ...told } = input;
  const reached = await read(kubeconfig);
  const { runs, kubeSystem, fenced } = await greet(work, reached);
  const id = newID(work, "host");
  const now = work.now();
  const host: Host = {
    id,
    ...told,
    generation: 1,
    state: "ready",
    runs,
    ...(kubeSystem === undefined ? {} : { kubeSystem }),
    fenced,
    createdAt: now,
    checkedAt: now,
    healthyAt: now,
    strangers: [],
  };
  const sealed = await work.seal.seal(JSON.stringify(reached), binding(work.tenant, id));
  // Hosts are rows of the home tenant, and only its staff comes as far as here.
  const { table } = work;
  try {
    await table.write(
      table.insert(nameKind, host.name, { host: id }),
      table.insert(hostKind, id, host),
      table.insert(credentialKind, id, { sealed }),
      Audit.entry(work, { verb: "host:register", target: id }),
    );
  } catch (cause) {
    if (!(cause instanceof Refused) || cause.index !== 0) throw cause;
    throw new Fault("conflict", `There is a host named ${host.name} already.`, { cause });
  }
  return await view(work, host);
}

/** Hosts, oldest first. @throws Fault `missing` to all but staff. */
export async function list(ctx: Context, page: PageInput): Promise<Page<View>> {
  allow(ctx, "home:read");
  const { items, next } = await ctx.table.list(hostKind, page);
  return { items: await Promise.all(items.map((host) => view(ctx, host))), next };
}

/** @throws Fault `missing`, also to all but staff. */
export async function get(ctx: Context, id: ID<"host">): Promise<View> {
  allow(ctx, "home:read");
  return await view(ctx, await find(ctx.table, id));
}

/**
 * Looks at the host now, also whether it fences, and answers what it then is. One that does not answer is no fault.
 * @throws Fault `missing`, also to all but staff.
 */
export async function check(work: Work, id: ID<"host">): Promise<View> {
  allow(work, "home:write");
  const before = await find(work.table, id);
  const host = await look(work, id);
  const well = host.healthyAt === host.checkedAt;
  if (!well) return await view(work, host);
  const seen = await inspect(work, id, before);
  if (seen.fenced === host.fenced && seen.kubeSystem === host.kubeSystem) return await view(work, host);
  return await view(work, await work.table.edit(hostKind, id, { set: seen }));
}

/** What a host that answers says of itself; what it can't tell now stays as it was known. */
async function inspect(work: Work, id: ID<"host">, known: Host): Promise<Pick<Host, "fenced" | "kubeSystem">> {
  const kube = work.kube(await target(work, id));
  const or =
    <T>(before: T) =>
    (cause: unknown): T => {
      if (!(cause instanceof KubeFault)) throw cause;
      work.log.warn("a host could not be asked", { host: id, why: cause.message });
      return before;
    };
  const fenced = await fences(kube).catch(or(known.fenced));
  const kubeSystem = known.kubeSystem ?? (await kubeSystemOf(kube).catch(or(undefined)));
  return { fenced, ...(kubeSystem === undefined ? {} : { kubeSystem }) };
}
