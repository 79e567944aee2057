import { createHash, createPublicKey } from "node:crypto";
import * as z from "zod";
import type { Kind, Target, Work } from "../context.ts";
import { type ID, kubeName } from "../id.ts";
import * as PKI from "../pki/index.ts";
import { type Cluster, clusterKind, PublicKey } from "./schema.ts";
import { firstAddress } from "./ranges.ts";

const Pair = z.object({ certificate: z.string(), key: z.string() });

/** What is made once and never lost: it outlives the host. */
const Authorities = z.object({
  cluster: Pair,
  front: Pair,
  etcd: Pair,
  signer: z.object({ privateKey: z.string(), publicKey: z.string() }),
  /** 32 random bytes, base64: encrypts the cluster's Secrets in its etcd. */
  encryption: z.string(),
});
export type Authorities = z.output<typeof Authorities>;

/** What the authorities signed for the control plane's parts. */
const Leaves = z.object({
  apiserver: Pair,
  kubelet: Pair,
  etcdClient: Pair,
  front: Pair,
  etcd: Pair,
  manager: Pair,
  scheduler: Pair,
  /** Of the ear that listens inside; what an older release sealed has none yet. */
  ear: Pair.optional(),
});
export type Leaves = z.output<typeof Leaves>;

/** A sealed text, kept as an item of its own: never in the cluster's row, never in an index. */
const Sealed = z.object({ id: z.string(), sealed: z.string(), expiresAt: z.iso.datetime().optional() });
type Sealed = z.output<typeof Sealed>;
export const keyKind: Kind<Sealed> = { name: "key", schema: Sealed };
export const keyNames = ["authorities", "leaves", "access"] as const;
type KeyName = (typeof keyNames)[number];

const years = (count: number): number => Math.round(count * 365.25);
/** Leaves are signed anew when less than this is left of them. */
export const renewBeforeDays = 90;

/** The name that is in the API server's certificate wherever the cluster stands. */
export const serverName = (cluster: Pick<Cluster, "id">): string => `${kubeName(cluster.id)}.berth.internal`;

export async function makeAuthorities(ctx: Work): Promise<Authorities> {
  const authority = (commonName: string) => PKI.authority({ commonName, days: years(10), now: ctx.now() });
  const [cluster, front, etcd, signer] = await Promise.all([
    authority("kubernetes-ca"),
    authority("kubernetes-front-proxy-ca"),
    authority("etcd-ca"),
    PKI.signer(),
  ]);
  return { cluster, front, etcd, signer, encryption: Buffer.from(ctx.random(32)).toString("base64") };
}

/** @param addresses the ClusterIPs of its Services on the host. */
export async function makeLeaves(
  ctx: Work,
  cluster: Cluster,
  from: Authorities,
  addresses: { apiserver: string; etcd: string },
): Promise<Leaves & { ear: PKI.Pair }> {
  const namespace = kubeName(cluster.id);
  const client = (signedBy: PKI.Pair, commonName: string, organizations: string[] = []) =>
    PKI.leaf(signedBy, { commonName, organizations, usage: "client", now: ctx.now(), days: years(1) });
  const [apiserver, kubelet, etcdClient, front, etcd, manager, scheduler, ear] = await Promise.all([
    PKI.leaf(from.cluster, {
      commonName: "kube-apiserver",
      usage: "server",
      now: ctx.now(),
      days: years(1),
      dns: [
        ...["", ".default", ".default.svc", ".default.svc.cluster.local"].map((suffix) => `kubernetes${suffix}`),
        "localhost",
        `apiserver.${namespace}.svc`,
        serverName(cluster),
      ],
      ips: [
        ...cluster.spec.serviceCIDRs.map(firstAddress),
        "127.0.0.1",
        addresses.apiserver,
        cluster.placement.address,
      ],
    }),
    client(from.cluster, "kube-apiserver-kubelet-client"),
    client(from.etcd, "kube-apiserver-etcd-client"),
    client(from.front, "front-proxy-client"),
    PKI.leaf(from.etcd, {
      commonName: "etcd",
      usage: "both",
      now: ctx.now(),
      days: years(1),
      dns: ["localhost", `etcd-0.etcd.${namespace}.svc`, `etcd.${namespace}.svc`],
      ips: ["127.0.0.1", addresses.etcd],
    }),
    client(from.cluster, "system:kube-controller-manager"),
    client(from.cluster, "system:kube-scheduler"),
    makeEar(ctx, from),
  ]);
  return { apiserver, kubelet, etcdClient, front, etcd, manager, scheduler, ear };
}

/** The ear's credential: it hears of what Berth keeps inside, and may do nothing. */
export const makeEar = (ctx: Work, from: Authorities): Promise<PKI.Pair> =>
  PKI.leaf(from.cluster, {
    commonName: "berth-ear",
    organizations: ["berth:ear"],
    usage: "client",
    now: ctx.now(),
    days: years(1),
  });

/** The access function's own credential: may do nothing outside of `berth-members`. */
export const makeAccess = (ctx: Work, from: Authorities): Promise<PKI.Pair> =>
  PKI.leaf(from.cluster, {
    commonName: "berth-access",
    organizations: ["berth:access"],
    usage: "client",
    now: ctx.now(),
    days: years(1),
  });

const schemas = { authorities: Authorities, leaves: Leaves, access: Pair };
const binding = (cluster: Cluster, name: KeyName) => ({ tenant: cluster.tenant, cluster: cluster.id, name });
export const keyID = (cluster: ID<"cluster">, name: KeyName): string => `${cluster}/${name}`;

interface Opened<N extends KeyName> {
  value: z.output<(typeof schemas)[N]>;
  /** The first expiry of what is inside. */
  expiresAt: string | undefined;
}

/** Opens one of the cluster's sealed items. */
export async function openKey<N extends KeyName>(ctx: Work, cluster: Cluster, name: N): Promise<Opened<N> | undefined> {
  const item = await ctx.table.get(keyKind, keyID(cluster.id, name));
  return item && (await openSealed(ctx, cluster, name, item));
}

/** Opens an item that was read already. */
export async function openSealed<N extends KeyName>(
  ctx: Pick<Work, "seal">,
  cluster: Cluster,
  name: N,
  { sealed, expiresAt }: Sealed,
): Promise<Opened<N>> {
  const plain = await ctx.seal.open(sealed, binding(cluster, name));
  return { value: schemas[name].parse(JSON.parse(plain)) as z.output<(typeof schemas)[N]>, expiresAt };
}

/**
 * Seals and keeps; with `once` only when none is kept yet, so that keys are never made twice.
 * @throws Refused also when another has taken the cluster's lease, or ended it.
 */
export async function keepKey<N extends KeyName>(
  ctx: Work,
  cluster: Cluster,
  name: N,
  value: z.output<(typeof schemas)[N]>,
  options: { once: boolean; expiresAt?: string },
): Promise<void> {
  const id = keyID(cluster.id, name);
  const sealed = await ctx.seal.seal(JSON.stringify(value), binding(cluster, name));
  const row = { id, sealed, ...(options.expiresAt === undefined ? {} : { expiresAt: options.expiresAt }) };
  const exists = !options.once && (await ctx.table.get(keyKind, id)) !== undefined;
  // Only by who holds the cluster: a worker that slept until it was ended would leave a key that nobody removes.
  const held = ctx.table.check(clusterKind, cluster.id, { epoch: cluster.epoch });
  const change = exists ? ctx.table.update(keyKind, id, { set: row }) : ctx.table.insert(keyKind, id, row);
  await ctx.table.write(change, held);
}

/** The public half of the ServiceAccounts' signer, as its cluster's API server itself would tell it. */
export function publicKeyOf({ signer }: Authorities): PublicKey {
  const key = createPublicKey(signer.publicKey);
  const kid = createHash("sha256")
    .update(key.export({ type: "spki", format: "der" }))
    .digest("base64url");
  return PublicKey.parse({ ...key.export({ format: "jwk" }), use: "sig", alg: "RS256", kid });
}

const admins = new Map<string, { target: Target; until: number }>();

/** Berth as the cluster's administrator, by a certificate of one hour that is never kept outside of memory. */
export async function adminTarget(ctx: Work, cluster: Cluster, from: Authorities): Promise<Target> {
  const key = `${cluster.tenant}/${cluster.id}/${endpoint(cluster)}/${from.cluster.certificate}`;
  const known = admins.get(key);
  if (known !== undefined && known.until > Date.parse(ctx.now())) return known.target;
  const user = await PKI.leaf(from.cluster, {
    commonName: "berth",
    organizations: ["system:masters"],
    usage: "client",
    now: ctx.now(),
    minutes: 60,
  });
  const target = endpointTarget(cluster, from.cluster.certificate, user);
  for (const [old, { until }] of admins) if (until <= Date.parse(ctx.now())) admins.delete(old);
  admins.set(key, { target, until: Date.parse(ctx.now()) + 45 * 60_000 });
  return target;
}

/** Where the cluster's API server answers from outside of its host. */
export const endpoint = (cluster: Cluster): string =>
  `https://${cluster.placement.address.includes(":") ? `[${cluster.placement.address}]` : cluster.placement.address}:${cluster.placement.port}`;

export const endpointTarget = (cluster: Cluster, authority: string, user: Target["user"]): Target => ({
  server: endpoint(cluster),
  authority,
  serverName: serverName(cluster),
  user,
});
