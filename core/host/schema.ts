import * as z from "zod";
import type { Kind } from "../context.ts";
import { idOf } from "../id.ts";

const cidr = z.union([z.cidrv4(), z.cidrv6()], { error: "must be a CIDR range such as 10.96.0.0/16" });
const slug = z
  .string()
  .regex(
    /^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/,
    "must be 1 to 40 lower-case letters, digits and inner dashes, a letter first",
  );
const exact = z.string().regex(/^\d+\.\d+\.\d+$/, "must be an exact version such as 1.34.4");
const port = z.number().int().min(1).max(65_535);

/** The node ports that are seats of clusters, both ends included. */
export const Ports = z
  .object({ from: port, to: port })
  .refine(({ from, to }) => from <= to, { error: "must not end before it begins", path: ["to"] });

const told = {
  name: slug,
  /** Its name for people. */
  title: z.string().max(120),
  region: slug,
  zones: z.array(slug).max(16),
  /** Where its node ports are reached, by tenants and their machines: it never changes, as kubeconfigs hold it. */
  address: z.union([z.ipv4(), z.ipv6(), z.hostname()], { error: "must be an IP address or a DNS name" }),
  ports: Ports,
  /** Exact versions whose images it can pull. */
  versions: z.array(exact).min(1).max(64),
  /** What enforces NetworkPolicies there; null when nothing does. */
  policyEngine: z.string().min(1).max(63).nullable(),
  /** Images are `<prefix>/kube-apiserver:v1.34.4`, `<prefix>/etcd:3.6.16` and so on. */
  imagePrefix: z.string().regex(/^[a-z0-9]([-a-z0-9._:/]{0,198}[a-z0-9])?$/, "must be an image prefix without tag"),
  storageClass: z.string().min(1).max(253),
  serviceCIDRs: z.array(cidr).min(1).max(2),
  podCIDRs: z.array(cidr).min(1).max(2),
  /** From which addresses home's functions reach its node ports; empty when that is not known. */
  homeRanges: z.array(cidr).max(16),
};
const kubeconfig = z.string().min(1).max(48_000);

/** What is told of a host when it is registered. */
export const RegisterInput = z.strictObject({
  ...told,
  title: told.title.default(""),
  homeRanges: told.homeRanges.default([]),
  zones: told.zones.default([]),
  policyEngine: told.policyEngine.default(null),
  ports: z
    .strictObject({ from: port, to: port })
    .refine(({ from, to }) => from <= to, { error: "must not end before it begins", path: ["to"] }),
  /** The kubeconfig of Berth's identity there, with its credentials inside. Exec plugins are refused. */
  kubeconfig,
});
export type RegisterInput = z.output<typeof RegisterInput>;

/** A field that is known, and refused with the reason. */
const fixed = (why: string) =>
  z
    .unknown()
    .refine((value) => value === undefined, why)
    .optional();

/** What may change later; what is left out stays. */
export const UpdateInput = z
  .strictObject({
    title: told.title.optional(),
    zones: told.zones.optional(),
    versions: told.versions.optional(),
    policyEngine: told.policyEngine.optional(),
    homeRanges: told.homeRanges.optional(),
    imagePrefix: fixed("can't change: every control plane on the host would be rolled"),
    address: fixed("can't change: tenants' kubeconfigs hold it"),
  })
  .refine((input) => Object.values(input).some((value) => value !== undefined), "must change something");
export type UpdateInput = z.output<typeof UpdateInput>;

/** Another credential of Berth on the same cluster, such as one that was renewed. */
export const CredentialInput = z.strictObject({ kubeconfig });
export type CredentialInput = z.output<typeof CredentialInput>;

/** A host as the table keeps it, in the home tenant. Its credentials are an item of their own. */
export const Host = z.object({
  id: idOf("host"),
  ...told,
  title: told.title.default(""),
  homeRanges: told.homeRanges.default([]),
  /** Rises with every change that a person makes; absent, as on rows of before there were any, it is 1. */
  generation: z.number().int().optional(),
  state: z.enum(["ready", "draining"]),
  /** Since when it takes no new clusters, ISO 8601 UTC. */
  drainingSince: z.iso.datetime().optional(),
  /** The uid of its namespace kube-system, which is the nearest to a name that a Kubernetes cluster has. */
  kubeSystem: z.string().optional(),
  /** Whether it refuses writes of an older worker of ours (docs/host-role.yaml); null when that is not known. */
  fenced: z.boolean().nullable().default(null),
  /** What its API server said it runs when it was registered, such as `v1.34.4`. */
  runs: z.string(),
  createdAt: z.iso.datetime(),
  /** When it was last looked at, and when it was last well, ISO 8601 UTC. */
  checkedAt: z.iso.datetime(),
  healthyAt: z.iso.datetime(),
  /** Up to 20 namespaces that say they are Berth's and that no row or receipt knows, as the last lap saw them. */
  strangers: z.array(z.string()).default([]),
});
export type Host = z.output<typeof Host>;

/** A node port of a host that a cluster holds. Its id is `<host>/<port, five digits>`, so ports sort. */
export const Seat = z.object({
  host: idOf("host"),
  port: z.number().int(),
  /** Who sits there. */
  tenant: idOf("tenant"),
  cluster: idOf("cluster"),
  takenAt: z.iso.datetime(),
});
export type Seat = z.output<typeof Seat>;

/** A host's sealed Target, kept under the host's id. */
export const Credential = z.object({ sealed: z.string() });

export const hostKind: Kind<Host> = { name: "host", schema: Host };
/** Holds each host's name once. */
export const nameKind: Kind<{ host: string }> = { name: "hostName", schema: z.object({ host: z.string() }) };
export const seatKind: Kind<Seat> = { name: "seat", schema: Seat };
export const credentialKind: Kind<z.output<typeof Credential>> = { name: "credential", schema: Credential };

/** What staff sees of a host: all but its credentials. */
export const View = Host.omit({ kubeSystem: true }).extend({
  /** Rises with every change that a person makes: the ETag. */
  generation: z.number().int(),
  /** Whether it was well within the last 3 minutes. */
  healthy: z.boolean(),
  /** When it was last well, if it is not now, ISO 8601 UTC. */
  unhealthySince: z.iso.datetime().nullable(),
  /** How many clusters may stand there, and how many do. */
  seats: z.object({ taken: z.number().int(), free: z.number().int() }),
  /** What staff ought to know of it, in sentences. */
  warnings: z.array(z.string()),
});
export type View = z.output<typeof View>;

/** What a draining host still carries. */
export const Drain = z.object({
  host: View,
  /** The first 100 by port; `host.seats.taken` has their number. */
  clusters: z.array(z.object({ tenant: idOf("tenant"), cluster: idOf("cluster"), port: z.number().int() })),
  /** Why they stay there. */
  moving: z.string(),
});
export type Drain = z.output<typeof Drain>;
