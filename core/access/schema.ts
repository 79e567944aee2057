import * as z from "zod";
import { Condition } from "../condition.ts";
import type { Kind } from "../context.ts";
import { type ID, idOf } from "../id.ts";
import { engineShape } from "../lease.ts";
import * as Project from "../project/index.ts";

/**
 * What Berth keeps inside of one cluster for people: accounts, bindings, permission groups and projects' namespaces.
 * It is settled by itself, apart from the control plane, so that a right can be taken while a host is in trouble.
 */
export const Access = z.object({
  id: idOf("access"),
  tenant: idOf("tenant"),
  cluster: idOf("cluster"),
  createdAt: z.iso.datetime(),
  status: z.object({
    conditions: z.array(Condition),
    /** By project id. */
    projects: z.record(z.string(), Project.Seen).default({}),
    /** Members who have an account there. */
    accounts: z.array(idOf("member")).default([]),
    /** The generation at which nothing was left to be taken away: what is not granted any more has gone. */
    rights: z.number().int().default(0),
    /** The generation at which all that is granted held, too. */
    given: z.number().int().default(0),
    /** The uids of projects' namespaces, so that ours is known as ours whatever becomes of its labels. */
    spaces: z.record(z.string(), z.string()).default({}),
    /** What the cluster would not have of a project, by project id: it is tried again a minute later. */
    refused: z
      .record(z.string(), z.object({ generation: z.number().int(), message: z.string(), at: z.iso.datetime() }))
      .default({}),
    /** Namespaces that say they are a project's of ours and that no project is known of. They are left alone. */
    strangers: z.array(z.string()).default([]),
  }),
  ...engineShape,
});
export type Access = z.output<typeof Access>;
export const accessKind: Kind<Access> = { name: "access", schema: Access };

/** Each cluster has one, under the same ULID. */
export const accessOf = (cluster: ID<"cluster">): ID<"access"> => cluster.replace("cls_", "acc_") as ID<"access">;
export const clusterOf = (access: ID<"access">): ID<"cluster"> => access.replace("acc_", "cls_") as ID<"cluster">;

/** What became of a change of rights by the time of the answer. */
export const Confirmation = z.object({
  /** Clusters that hold it by now. */
  confirmed: z.array(idOf("cluster")),
  /** Those that do not yet: it is tried until they do, and tokens there end by themselves within 10 minutes by default. */
  pending: z.array(z.object({ cluster: idOf("cluster"), name: z.string(), why: z.string() })),
});
export type Confirmation = z.output<typeof Confirmation>;
