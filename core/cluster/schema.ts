import * as z from "zod";
import type { Kind } from "../context.ts";
import { idOf } from "../id.ts";
import * as Version from "../version/index.ts";
import { rangeFaults } from "./ranges.ts";
import { Condition } from "../condition.ts";
import { engineShape } from "../lease.ts";

const name = z
  .string()
  .regex(
    /^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/,
    "must be 1 to 40 lower-case letters, digits and inner dashes, a letter first",
  );
const cidr = z.union([z.cidrv4(), z.cidrv6()], { error: "must be a CIDR range such as 10.112.0.0/16" });
const label = /^([a-zA-Z0-9]([-._a-zA-Z0-9]{0,61}[a-zA-Z0-9])?)?$/;
const labelKey = /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[a-zA-Z0-9]([-._a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$/;
export const Labels = z
  .record(
    z.string().regex(labelKey, "must be a Kubernetes label key"),
    z.string().regex(label, "must be a Kubernetes label value"),
  )
  .refine((labels) => Object.keys(labels).length <= 32, "must have 32 entries at most");

const version = z.string().regex(/^\d+\.\d+(\.\d+)?$/, "must be a version such as 1.34 or 1.34.4");
const ranges = z.array(cidr).min(1).max(2);
/** Where callers may come from. What stands for an IPv4 address in IPv6's clothes would match nothing. */
const sources = z.array(cidr.refine((range) => !/^::ffff:/i.test(range), "must be written as an IPv4 range")).max(64);

/** What is asked of a new cluster. What needs no host to be known as wrong is told here, all of it at once. */
export const CreateInput = z
  .strictObject({
    name,
    /** `1.34` means its newest patch; left out, the newest supported version that a host can run. */
    version: version.optional(),
    region: z.string().min(1).max(63).optional(),
    serviceCIDRs: ranges.default(["10.112.0.0/16"]),
    podCIDRs: ranges.default(["172.31.0.0/16"]),
    /**
     * From where the API server may be reached, beside Berth and the host: people and machines alike. Empty means from
     * anywhere. Only hosts that enforce network policies can hold to it.
     */
    sourceRanges: sources.default([]),
    labels: Labels.default({}),
    deletionProtection: z.boolean().default(false),
  })
  .superRefine(
    (input, { addIssue }) => {
      const [services, pods] = [ranges.safeParse(input.serviceCIDRs), ranges.safeParse(input.podCIDRs)];
      const faults =
        services.success && pods.success ? rangeFaults({ serviceCIDRs: services.data, podCIDRs: pods.data }) : [];
      const wanted = version.safeParse(input.version);
      const unknown = wanted.success ? Version.unknown(wanted.data) : undefined;
      if (unknown !== undefined) faults.push({ field: "version", message: unknown });
      for (const { field, message } of faults) addIssue({ code: "custom", path: field.split("."), message });
    },
    // Also when another field is wrong already, so that the caller need not come twice.
    { when: ({ value }) => typeof value === "object" && value !== null },
  );
export type CreateInput = z.output<typeof CreateInput>;

/** What may change later; what is left out stays. */
export const UpdateInput = z
  .strictObject({
    labels: Labels.optional(),
    deletionProtection: z.boolean().optional(),
    sourceRanges: sources.optional(),
  })
  .refine((input) => Object.values(input).some((value) => value !== undefined), "must change something");
export type UpdateInput = z.output<typeof UpdateInput>;

export const Spec = z.object({
  version: z.string(),
  region: z.string(),
  serviceCIDRs: z.array(z.string()),
  podCIDRs: z.array(z.string()),
  sourceRanges: z.array(z.string()).default([]),
  labels: z.record(z.string(), z.string()),
  deletionProtection: z.boolean(),
});

/** Where a cluster's control plane stands: a host, and the node port that is its seat there. */
export const Placement = z.object({ host: idOf("host"), address: z.string(), port: z.number().int() });

/** A public key by which tokens of a cluster's ServiceAccounts are checked (RFC 7517); nothing in it is secret. */
export const PublicKey = z.object({
  use: z.literal("sig"),
  kty: z.literal("RSA"),
  /** As Kubernetes names its keys: the SHA-256 of the DER key (SPKI), base64url. */
  kid: z.string(),
  alg: z.literal("RS256"),
  n: z.string(),
  e: z.string(),
});
export type PublicKey = z.output<typeof PublicKey>;

export const Status = z.object({
  conditions: z.array(Condition),
  /** `https://address:port`, once it is known. */
  endpoint: z.string().optional(),
  /** Its CA bundle, PEM; public. */
  authority: z.string().optional(),
  /** ClusterIPs on the host, pinned once given. */
  addresses: z.object({ apiserver: z.string(), etcd: z.string() }).optional(),
  /** True from the moment its API server first answered. */
  born: z.boolean().optional(),
  /** Who signs its ServiceAccounts' tokens; kept here so that it can be told to anyone without opening its keys. */
  signer: PublicKey.optional(),
  /** `Kind name` of all that was found on the host when removal began. */
  inventory: z.array(z.string()).optional(),
});

/** A cluster as the table keeps it. Spec and status are written apart, so status never breaks an `If-Match`. */
export const Cluster = z.object({
  id: idOf("cluster"),
  tenant: idOf("tenant"),
  name: z.string(),
  createdAt: z.iso.datetime(),
  createdBy: z.string(),
  spec: Spec,
  placement: Placement,
  /** The host of `placement`, which places the row in the index of what that host carries. */
  hostedOn: idOf("host").optional(),
  status: Status,
  /** Set once removal was asked for; never unset. */
  deletedAt: z.iso.datetime().optional(),
  ...engineShape,
});
export type Cluster = z.output<typeof Cluster>;

/** What is left of a removed cluster: what had been made, and the proof that it is gone. */
export const Receipt = z.object({
  id: idOf("cluster"),
  name: z.string(),
  createdAt: z.iso.datetime(),
  deletedAt: z.iso.datetime(),
  goneAt: z.iso.datetime(),
  host: idOf("host"),
  /** `Kind namespace/name` of every object that was found on the host when removal began. */
  removed: z.array(z.string()),
  /** What a last look at the host found of it: nothing, or the removal would not have ended. */
  remaining: z.array(z.string()),
});
export type Receipt = z.output<typeof Receipt>;

export const clusterKind: Kind<Cluster> = { name: "cluster", schema: Cluster };
export const receiptKind: Kind<Receipt> = { name: "receipt", schema: Receipt };

/** What a caller sees of a cluster. */
export const View = Cluster.pick({
  id: true,
  name: true,
  createdAt: true,
  createdBy: true,
  generation: true,
  observedGeneration: true,
  spec: true,
  deletedAt: true,
}).extend({
  status: Status.omit({ addresses: true, born: true, signer: true, inventory: true }).extend({
    /** `Pending`, `Ready`, `Degraded`, `Deleting` or `Parked`: the conditions in one word. */
    phase: z.enum(["Pending", "Ready", "Degraded", "Deleting", "Parked"]),
  }),
});
export type View = z.output<typeof View>;
