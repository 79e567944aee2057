import * as z from "zod";
import { roles } from "../role.ts";
import type { Kind } from "../context.ts";
import { idOf } from "../id.ts";
import * as Member from "../member/index.ts";
import * as Quota from "../quota/index.ts";

/** A customer organisation. */
export const Tenant = z.object({
  id: idOf("tenant"),
  /** Unique across the platform. */
  name: z.string(),
  title: z.string(),
  createdAt: z.iso.datetime(),
  /** The tokens of a suspended tenant stop working; its clusters go on. */
  state: z.enum(["active", "suspended"]),
  /** What staff said that it may use; what is counted has its limits beside the counters. */
  limits: z.object({ requestsPerSecond: Quota.requestsPerSecond }).partial().optional(),
});
export type Tenant = z.output<typeof Tenant>;

const name = z
  .string()
  .regex(
    /^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/,
    "must be 1 to 40 lower-case letters, digits and inner dashes, a letter first",
  );

const title = z.string().trim().min(1).max(100);

/** What staff says of a new tenant. */
export const CreateInput = z.strictObject({
  name,
  title: title.optional(),
  /** Answer a token of its first owner too; it is shown this once. */
  withToken: z.boolean().default(false),
});
export type CreateInput = z.output<typeof CreateInput>;

export const tenantKind: Kind<Tenant> = { name: "tenant", schema: Tenant };
/** The platform's directory, in the home tenant, under each tenant's name: it keeps names unique and can be listed. */
export const nameKind: Kind<Tenant> = { name: "tenantName", schema: Tenant };

export const View = Tenant;
export type View = Tenant;
/** A new tenant, and its owner's token where one was asked for. */
export const Created = Tenant.extend({
  /** The secret itself: it is kept nowhere and can't be shown again. */
  token: z.string().optional(),
});
export type Created = z.output<typeof Created>;

/** Who a token speaks for, and how far. */
export const Me = z.object({
  tenant: Tenant,
  member: Member.View,
  role: z.enum(roles),
  /** The token's bounds; null is all that the role may do. */
  scopes: z.array(z.string()).nullable(),
  /** The clusters and projects that the token is bound to; left out, it is not bound. */
  within: z
    .object({ clusters: z.array(idOf("cluster")), projects: z.array(idOf("project")) })
    .partial()
    .optional(),
  token: idOf("token").nullable(),
});
export type Me = z.output<typeof Me>;

/** A tenant as staff sees it alone. */
export const Whole = Tenant.extend({ quotas: z.array(Quota.Ledger) });
export type Whole = z.output<typeof Whole>;

/** What may change of a tenant, by staff; what is left out stays. */
export const UpdateInput = z
  .strictObject({ state: Tenant.shape.state, title, limits: Quota.Limits })
  .partial()
  .refine((input) => Object.values(input).some((value) => value !== undefined), "must change something");
export type UpdateInput = z.output<typeof UpdateInput>;
