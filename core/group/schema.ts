import * as z from "zod";
import type { Kind } from "../context.ts";
import { idOf } from "../id.ts";

const name = z
  .string()
  .regex(
    /^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/,
    "must be 1 to 40 lower-case letters, digits and inner dashes, a letter first",
  );
const title = z.string().trim().min(1).max(100);

/** The verbs that RBAC knows of, and those of its own that some resources have. */
const verb = z.string().regex(/^(\*|[a-z][a-z-]{0,40})$/, "must be a verb such as get, or *");
const apiGroup = z
  .string()
  .regex(
    /^(\*|([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?)?)$/,
    "must be an API group such as apps, empty for the core, or *",
  );
const word = "[a-z0-9][-a-z0-9.]{0,100}";
const resource = z
  .string()
  .regex(
    new RegExp(`^(\\*|(\\*|${word})/${word}|${word})$`),
    "must be a resource such as pods, pods/log or */scale, or * for all; there is no pods/*",
  );
const resourceName = z.string().min(1).max(253);

/** A rule as Kubernetes writes it (rbac.authorization.k8s.io/v1 PolicyRule), of resources. */
export const Rule = z.strictObject({
  apiGroups: z.array(apiGroup).min(1).max(50),
  resources: z.array(resource).min(1).max(100),
  verbs: z.array(verb).min(1).max(50),
  resourceNames: z.array(resourceName).min(1).max(100).optional(),
});
export type Rule = z.output<typeof Rule>;
const rules = z.array(Rule).max(50);

/** How many single rights the rules of a group may be, written out: a verb on a resource of a group, by name. */
export const breadthMax = 20_000;
const breadth = (some: readonly Rule[]): number =>
  some.reduce(
    (sum, { apiGroups, resources, verbs, resourceNames }) =>
      sum + apiGroups.length * resources.length * verbs.length * (resourceNames?.length ?? 1),
    0,
  );
/** What checks rights one by one must not be given more of them than it can check. */
const bounded = {
  check: ({
    rules: some = [],
    clusterRules: more = [],
  }: {
    rules?: Rule[] | undefined;
    clusterRules?: Rule[] | undefined;
  }) => breadth(some) + breadth(more) <= breadthMax,
  told: {
    message: `must not name more than ${breadthMax} rights, each a verb on a resource of an API group: use *, or two groups`,
    path: ["rules"],
  },
};

/** The groups that every tenant has; their rules are in `builtin.ts`. */
export const builtinNames = ["owner", "admin", "edit", "view", "audit"] as const;
export type BuiltinName = (typeof builtinNames)[number];

/** A permission group of a tenant's own. What of it holds where is the grant's matter. */
export const Group = z.object({
  id: idOf("group"),
  tenant: idOf("tenant"),
  /** Unique in the tenant, and none of the built-in ones. */
  name: z.string(),
  title: z.string(),
  /** What it may do in a project's namespaces, wherever it is granted. */
  rules: z.array(Rule),
  /** What it may do beside at cluster scope, where it is granted on a cluster or the tenant. */
  clusterRules: z.array(Rule),
  generation: z.number().int(),
  createdAt: z.iso.datetime(),
  createdBy: z.string(),
});
export type Group = z.output<typeof Group>;
export const groupKind: Kind<Group> = { name: "group", schema: Group };
/** Holds a name once per tenant. */
export const nameKind: Kind<{ id: Group["id"] }> = { name: "groupName", schema: z.object({ id: idOf("group") }) };

/** How a grant names a group: a built-in one by its name, any other by its id. */
export const Ref = z.union([z.enum(builtinNames), idOf("group")], {
  error: `must be one of ${builtinNames.join(", ")}, or the id of a group`,
});
export type Ref = z.output<typeof Ref>;

export const CreateInput = z
  .strictObject({ name, title: title.optional(), rules: rules.default([]), clusterRules: rules.default([]) })
  .refine(({ rules: some, clusterRules }) => some.length + clusterRules.length > 0, {
    message: "must have a rule",
    path: ["rules"],
  })
  .refine(bounded.check, bounded.told);
export type CreateInput = z.output<typeof CreateInput>;
/** What may change; what is left out stays. */
export const UpdateInput = z
  .strictObject({ title, rules, clusterRules: rules })
  .partial()
  .refine((input) => Object.values(input).some((value) => value !== undefined), "must change something")
  .refine(bounded.check, bounded.told);
export type UpdateInput = z.output<typeof UpdateInput>;

/** What a caller sees: a tenant's own group, or a built-in one, whose id is its name. */
export const View = Group.omit({ createdBy: true, createdAt: true, tenant: true, id: true }).extend({
  id: Ref,
  builtin: z.boolean(),
  createdAt: z.iso.datetime().optional(),
  /** What in it lets its holder become somebody else, in sentences; such groups are an owner's alone to make and give. */
  warnings: z.array(z.string()),
});
export type View = z.output<typeof View>;
