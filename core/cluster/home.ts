import { allow } from "../allow.ts";
import type { Change, Context, Place, Target, Work } from "../context.ts";
import { Fault, type FieldFault } from "../error.ts";
import { Silent } from "../failure.ts";
import * as Host from "../host/index.ts";
import { type ID, nounOf } from "../id.ts";
import * as Version from "../version/index.ts";
import type { Parts } from "./manifests/parts.ts";
import { rangeFaults } from "./ranges.ts";
import { type Cluster, clusterKind, type CreateInput, type PublicKey } from "./schema.ts";

/** Where a new cluster goes: nothing is written yet; `seat` takes the place. */
export interface Placed {
  version: string;
  region: string;
  placement: Cluster["placement"];
  seat: Change;
}

/**
 * Chooses version, host and seat.
 * @throws Fault `invalid` with all that is wrong with version and ranges at once; `unavailable` when there is no place.
 */
export async function place(ctx: Context, id: ID<"cluster">, input: CreateInput): Promise<Placed> {
  const faults: FieldFault[] = rangeFaults(input);
  const offers = await Host.offers(ctx, input.region);
  if (input.region !== undefined && offers.length === 0) {
    const regions = [...new Set((await Host.offers(ctx)).map(({ region }) => region))].sort();
    const message = `no host is in ${input.region} now; there are hosts in: ${regions.join(", ") || "no region"}`;
    // A region that exists but has no healthy host is a matter of time, not of input.
    if (!(await Host.regions(ctx)).includes(input.region)) faults.push({ field: "region", message });
  }
  let version = "";
  try {
    if (faults.every(({ field }) => field !== "region")) version = await resolve(ctx, input, offers);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    if (error.kind !== "invalid" && faults.length === 0) throw error;
    faults.push(...error.errors);
  }
  const refuse = () => new Fault("invalid", "The cluster can't be made as asked.", { errors: faults });
  if (faults.length > 0) throw refuse();
  const guarded = input.sourceRanges.length > 0;
  const { host, port, seat } = await Host.place(ctx, { region: input.region, version, cluster: id, guarded });
  faults.push(...guardFaults(host, input.sourceRanges));
  const taken = (name: string, cidrs: string[]) => cidrs.map((cidr) => ({ name: `the host's ${name}`, cidr }));
  faults.push(...rangeFaults(input, [...taken("Services", host.serviceCIDRs), ...taken("Pods", host.podCIDRs)]));
  if (faults.length > 0) throw refuse();
  return { version, region: host.region, placement: { host: host.id, address: host.address, port }, seat };
}

/** What no host can run now, but one could that is not well, is a matter of time too: `Host.place` says so. */
async function resolve(ctx: Context, input: CreateInput, offers: { versions: string[] }[]): Promise<string> {
  const versions = (hosts: { versions: string[] }[]): string[] => hosts.flatMap((host) => host.versions);
  try {
    return Version.resolve(input.version, versions(offers));
  } catch (error) {
    const { region } = input;
    const hosts = (await Host.all(ctx.home)).filter((host) => region === undefined || host.region === region);
    try {
      return Version.resolve(input.version, versions(hosts.filter(({ state }) => state === "ready")));
    } catch {
      // The first answer names what can be run now, the second would name what can't.
      throw error;
    }
  }
}

/** @throws Fault `invalid` when the host can't keep others than these away from a cluster's API server. */
export async function guard(ctx: Context, host: ID<"host">, ranges: string[]): Promise<void> {
  const errors = guardFaults(await Host.find(ctx.home.table(ctx.home.tenant), host), ranges);
  if (errors.length > 0) throw new Fault("invalid", "The cluster can't be guarded as asked.", { errors });
}

/** A promise that nobody keeps is worse than none, so it is refused, with the reason. */
function guardFaults(host: Parts["host"], ranges: string[]): FieldFault[] {
  if (ranges.length === 0 || Host.guards(host)) return [];
  const why =
    host.policyEngine === null
      ? "the host enforces no network policies"
      : "it is not known from where Berth itself reaches the host, and it would be shut out too";
  return [{ field: "sourceRanges", message: `can't be held to: ${why}` }];
}

/** Gives the seat back; to be written with the end of the cluster. */
export const leave = (ctx: Context, { placement }: Cluster): Change =>
  Host.freeSeat(ctx, placement.host, placement.port);

/** The host's API server, as Berth. */
export const hostTarget = (ctx: Work, host: ID<"host">): Promise<Target> => Host.target(ctx, host);

/** What the host and home settle for the manifests. @throws Silent while the host answers nobody. */
export async function parts(ctx: Context, cluster: Cluster): Promise<Omit<Parts, "cluster">> {
  const host = await Host.find(ctx.home.table(ctx.home.tenant), cluster.placement.host);
  const since = Host.silentSince(host, ctx.now());
  if (since !== undefined) {
    // Asking it would hold a worker for as long as a call may take, and others wait for that worker.
    const silence = `The cluster's host, in the region ${host.region}, has not answered since ${since}.`;
    throw new Silent(`${silence} The cluster is looked at again as soon as it does.`, since);
  }
  return {
    host,
    etcdVersion: Version.find(cluster.spec.version).etcd,
    issuer: issuerURL(ctx, cluster.tenant, cluster.id),
  };
}

const issuerURL = (ctx: Pick<Context, "home">, tenant: string, id: string): string =>
  `${ctx.home.url}/oidc/${tenant}/${id}`;

/** What anyone may know of a cluster: who signs the tokens of its ServiceAccounts. */
export interface Issuer {
  url: string;
  key: PublicKey;
}

/** For strangers, so ids are any texts, and whatever is not there is undefined alike: also while its keys are made. */
export async function issuer(ctx: Pick<Context, "home">, tenant: string, id: string): Promise<Issuer | undefined> {
  if (nounOf(tenant) !== "tenant" || nounOf(id) !== "cluster") return undefined;
  const cluster = await ctx.home.table(tenant as ID<"tenant">).get(clusterKind, id);
  const key = cluster?.status.signer;
  return key && { url: issuerURL(ctx, tenant, id), key };
}

/**
 * Passes hints of an ear on. What they name need not be there: a hint about nothing costs one read.
 * @throws Fault `missing` to all but staff.
 */
export async function hear(ctx: Context, pokes: Place[]): Promise<void> {
  allow(ctx, "home:poke");
  await Promise.all(pokes.map(({ tenant, id }) => ctx.home.poke(tenant, id)));
}
