import type { Change, Context, Target, Work } from "../context.ts";
import { Fault, type FieldFault } from "../error.ts";
import * as Host from "../host/index.ts";
import type { ID } from "../id.ts";
import * as Version from "../version/index.ts";
import type { Parts } from "./manifests/parts.ts";
import { rangeFaults } from "./ranges.ts";
import type { Cluster, CreateInput } from "./schema.ts";

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
  const { host, port, seat } = await Host.place(ctx, { region: input.region, version, cluster: id });
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

/** Gives the seat back; to be written with the end of the cluster. */
export const leave = (ctx: Context, { placement }: Cluster): Change =>
  Host.freeSeat(ctx, placement.host, placement.port);

/** The host's API server, as Berth. */
export const hostTarget = (ctx: Work, host: ID<"host">): Promise<Target> => Host.target(ctx, host);

/** What the host and home settle for the manifests. */
export async function parts(ctx: Context, cluster: Cluster): Promise<Omit<Parts, "cluster">> {
  return {
    host: await Host.find(ctx.home.table(ctx.home.tenant), cluster.placement.host),
    etcdVersion: Version.find(cluster.spec.version).etcd,
    issuer: `${ctx.home.url}/oidc/${cluster.tenant}/${cluster.id}`,
  };
}
