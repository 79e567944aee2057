import * as z from "zod";
import type { Kind } from "../context.ts";
import { type ID, idOf } from "../id.ts";
import { Defaults, Labels, Limits, name, Policy, places, placesOf, title, weight } from "./fields.ts";

export { Limits, Opening } from "./fields.ts";

/** What is wanted of a project. */
export const Spec = z.object({
  title: z.string(),
  labels: z.record(z.string(), z.string()),
  limits: Limits,
  /** Percent of each limit that no cluster gets, for a failover. */
  reservePercent: z.number().int(),
  defaults: Defaults,
  podSecurity: z.enum(["privileged", "baseline", "restricted"]),
  network: Policy,
  /** The name of a Secret of its own in each namespace with which images are pulled; the default account uses it. */
  pullSecret: z.string().optional(),
  deletionProtection: z.boolean(),
  /** Then nobody but owners gets in any more, and no new Pod starts. Nothing is deleted. */
  expiresAt: z.iso.datetime().optional(),
});
export type Spec = z.output<typeof Spec>;

/** A cluster that carries a namespace of the project. */
export const Place = z.object({
  cluster: idOf("cluster"),
  weight: z.number().int(),
  /** Since when its namespace is to go, with all that is in it. Only this ever deletes a namespace. */
  leavingAt: z.iso.datetime().optional(),
  /** A namespace of this name that was there before is taken over: one owner's word, spent once it is the project's. */
  adopt: z.boolean().optional(),
  /** It leaves once the project is ready on that cluster. */
  movingTo: idOf("cluster").optional(),
});
export type Place = z.output<typeof Place>;

/** A team's space: a namespace of its name on each of its clusters. */
export const Project = z.object({
  id: idOf("project"),
  tenant: idOf("tenant"),
  /** Of its namespaces too; unique in the tenant, and never changed. */
  name: z.string(),
  spec: Spec,
  places: z.array(Place),
  generation: z.number().int(),
  createdAt: z.iso.datetime(),
  createdBy: z.string(),
  /** Set once removal was asked for; never unset. */
  deletedAt: z.iso.datetime().optional(),
  /** Where it was when its removal was asked for. */
  clusters: z.array(idOf("cluster")).optional(),
  /** Set once its expiry was seen to: from then on no Pod starts in it. Gone with a later `expiresAt`. */
  expiredAt: z.iso.datetime().optional(),
  /** When its expiry is to be told of or has come, or a move is to be looked at. */
  lookAt: z.iso.datetime().optional(),
  /** Rises with every write. The generation does not where places only end, so that this breaks no `If-Match`. */
  revision: z.number().int(),
});
export type Project = z.output<typeof Project>;
export const projectKind: Kind<Project> = { name: "project", schema: Project };
/** Holds a name once per tenant, for as long as its project is there. */
export const nameKind: Kind<{ id: Project["id"] }> = { name: "projectName", schema: z.object({ id: idOf("project") }) };

const changeable = {
  title,
  labels: Labels,
  limits: Limits,
  reservePercent: z.number().int().min(0).max(90),
  defaults: Defaults,
  podSecurity: Spec.shape.podSecurity,
  network: Policy,
  pullSecret: z
    .string()
    .regex(/^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/, "must be the name of a Secret")
    .nullable(),
  deletionProtection: z.boolean(),
  expiresAt: z.iso.datetime().nullable(),
  /** A weight that is left out stays, and of a new place is 1. */
  places: placesOf(z.strictObject({ cluster: idOf("cluster"), weight: weight.optional() })),
};
/** What is asked of a new project. */
export const CreateInput = z.strictObject({
  name,
  title: title.optional(),
  labels: Labels.default({}),
  limits: Limits.default({}),
  reservePercent: changeable.reservePercent.default(0),
  defaults: Defaults.default({}),
  podSecurity: changeable.podSecurity.default("restricted"),
  network: Policy.prefault({}),
  pullSecret: changeable.pullSecret.optional(),
  deletionProtection: z.boolean().default(false),
  expiresAt: changeable.expiresAt.optional(),
  places: places.default([]),
});
export type CreateInput = z.output<typeof CreateInput>;
/**
 * What may change; what is left out stays. `places` names all clusters that it is to be on: the namespaces on those
 * left out go, for which `confirm` must be the project's name.
 */
export const UpdateInput = z
  .strictObject({ ...changeable, confirm: z.string() })
  .partial()
  .refine(
    ({ confirm: _, ...input }) => Object.values(input).some((value) => value !== undefined),
    "must change something",
  );
export type UpdateInput = z.output<typeof UpdateInput>;

/** What became of the project on one cluster, as the cluster's access row keeps it. */
export const Seen = z.object({
  /** Of the project's row, that it was seen at. */
  generation: z.number().int(),
  state: z.enum(["Ready", "Pending", "Taken", "Leaving"]),
  /** A sentence: who has the namespace, or what keeps it from ending. */
  message: z.string(),
  at: z.iso.datetime(),
});
export type Seen = z.output<typeof Seen>;

/** What is left of a removed project. */
export const Receipt = z.object({
  id: idOf("project"),
  name: z.string(),
  createdAt: z.iso.datetime(),
  deletedAt: z.iso.datetime(),
  goneAt: z.iso.datetime(),
  clusters: z.array(idOf("cluster")),
});
export type Receipt = z.output<typeof Receipt>;
export const receiptKind: Kind<Receipt> = { name: "projectReceipt", schema: Receipt };

/** What a caller sees. */
export const View = Project.omit({ lookAt: true, revision: true, expiredAt: true, clusters: true }).extend({
  status: z.object({
    /** `Ready` when all places are; `Degraded` when one is taken, unreachable or gone. */
    phase: z.enum(["Ready", "Pending", "Degraded", "Deleting", "Expired"]),
    /** From a week before its expiry on. */
    expiry: z.enum(["Expiring", "Expired"]).optional(),
    places: z.array(
      z.object({
        cluster: idOf("cluster"),
        clusterName: z.string().optional(),
        state: z.enum(["Ready", "Pending", "Taken", "Leaving", "Unreachable"]),
        message: z.string(),
        /** When that was seen, ISO 8601 UTC. */
        at: z.iso.datetime().optional(),
        /** Its share of the limits. */
        share: z.record(z.string(), z.string()),
        /** Where it is moving to; it leaves when that one is ready. */
        movingTo: idOf("cluster").optional(),
        leavingAt: z.iso.datetime().optional(),
      }),
    ),
    /** What is kept back of the limits. */
    reserve: z.record(z.string(), z.string()),
    warnings: z.array(z.string()),
  }),
});
export type View = z.output<typeof View>;

/** Which projects a list keeps; left out, all. All that is said must hold. */
export interface Filter {
  name?: string | undefined;
  /** Those that have a place there. */
  cluster?: ID<"cluster"> | undefined;
  /** Labels that it must have, with these values. */
  labels?: (readonly [key: string, value: string])[] | undefined;
  /** Whether it ends within a week, or has. */
  expiring?: boolean | undefined;
}

/** Which split is asked about. */
export const SplitInput = CreateInput.pick({ limits: true, reservePercent: true, places: true });
export type SplitInput = z.output<typeof SplitInput>;
/** What the limits come to, on each cluster. */
export const SplitView = z.object({
  places: z.array(
    z.object({ cluster: idOf("cluster"), clusterName: z.string(), share: z.record(z.string(), z.string()) }),
  ),
  reserve: z.record(z.string(), z.string()),
});
export type SplitView = z.output<typeof SplitView>;

/** A namespace that is there already is taken over. */
export const AdoptInput = z.strictObject({ cluster: idOf("cluster"), confirm: z.string().max(63) });
export type AdoptInput = z.output<typeof AdoptInput>;
/** `to` is added, and `from` leaves with all that is in it once `to` is ready. */
export const MoveInput = z.strictObject({ from: idOf("cluster"), to: idOf("cluster"), confirm: z.string().max(63) });
export type MoveInput = z.output<typeof MoveInput>;
