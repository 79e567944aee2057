import { allow } from "../allow.ts";
import * as Audit from "../audit/index.ts";
import { type Context, KubeFault, Refused, type Target, type Work } from "../context.ts";
import { Fault } from "../error.ts";
import { type ID, newID } from "../id.ts";
import { parseKubeconfig } from "../kube/kubeconfig.ts";
import type { Page, PageInput } from "../page.ts";
import { binding, find, healthy, look } from "./home.ts";
import { credentialKind, type Host, hostKind, nameKind, type RegisterInput, type View } from "./schema.ts";

/**
 * Takes a Kubernetes cluster on as a host, after it has answered once.
 * @throws Fault `invalid` on `kubeconfig` when it can't be read or its server refuses it; `unavailable` when the
 * server does not answer; `conflict` when the name is taken; `missing` to all but staff.
 */
export async function register(work: Work, input: RegisterInput): Promise<View> {
  allow(work, "home:write");
  const { kubeconfig, ...told } = input;
  const target = read(kubeconfig);
  const runs = await greet(work, target);
  const id = newID(work, "host");
  const now = work.now();
  const host: Host = { id, ...told, state: "ready", runs, createdAt: now, checkedAt: now, healthyAt: now };
  const sealed = await work.seal.seal(JSON.stringify(target), binding(work.tenant, id));
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
  return view(work, host);
}

/** Hosts, oldest first. @throws Fault `missing` to all but staff. */
export async function list(ctx: Context, page: PageInput): Promise<Page<View>> {
  allow(ctx, "home:read");
  const { items, next } = await ctx.table.list(hostKind, page);
  return { items: items.map((host) => view(ctx, host)), next };
}

/** @throws Fault `missing`, also to all but staff. */
export async function get(ctx: Context, id: ID<"host">): Promise<View> {
  allow(ctx, "home:read");
  return view(ctx, await find(ctx.table, id));
}

/** Looks at the host now, and answers what it then is. @throws Fault `missing`, also to all but staff. */
export async function check(work: Work, id: ID<"host">): Promise<View> {
  allow(work, "home:write");
  await find(work.table, id);
  return view(work, await look(work, id));
}

const view = (ctx: Context, host: Host): View => ({ ...host, healthy: healthy(host, ctx.now()) });

/** The fields that a kubeconfig's faults name are inside of ours. */
function read(kubeconfig: string): Target {
  try {
    return parseKubeconfig(kubeconfig);
  } catch (cause) {
    if (!(cause instanceof Fault)) throw cause;
    const errors = cause.errors.map(({ field, message }) => ({ field: `kubeconfig.${field}`, message }));
    throw new Fault(cause.kind, cause.message, { cause, errors });
  }
}

async function greet(work: Work, target: Target): Promise<string> {
  try {
    return await work.kube(target).version();
  } catch (cause) {
    if (!(cause instanceof KubeFault)) throw cause;
    if (cause.kind === "unavailable" || cause.kind === "throttled") {
      throw new Fault("unavailable", "The host's API server did not answer.", { cause, retryAfterSeconds: 30 });
    }
    const message = `its server refused it: ${cause.kind}`;
    throw new Fault("invalid", `The kubeconfig does not work, ${message}.`, {
      cause,
      errors: [{ field: "kubeconfig", message }],
    });
  }
}
