import * as z from "zod";
import { allow } from "../allow.ts";
import * as Audit from "../audit/index.ts";
import * as Cluster from "../cluster/index.ts";
import { type Found, type Kube, KubeFault, ours, type Work } from "../context.ts";
import { Fault, missing } from "../error.ts";
import * as Grant from "../grant/index.ts";
import * as Group from "../group/index.ts";
import { type ID, idOf, kubeName } from "../id.ts";
import { compare, type Reviewed } from "./compare.ts";
import { declared } from "./explain.ts";

const Rules = z.array(Group.Rule);

/** What grants say of a member in one namespace of a cluster, beside what the cluster itself says. */
export const Comparison = z.object({
  member: z.object({ id: idOf("member"), name: z.string() }),
  account: z.string(),
  namespace: z.string().describe("Where the cluster was asked: a project's, or `default` for what is no project's."),
  same: z.boolean(),
  missing: Rules.describe("Granted, and not held in the cluster."),
  extra: Rules.describe("Held in the cluster, and granted by nobody here."),
  everyone: Rules.describe("What every account holds by Kubernetes' own bindings; no part of the comparison."),
  complete: z.boolean().describe("Whether the cluster could name all that the account holds."),
});
export type Comparison = z.output<typeof Comparison>;

const seconds = 600;

/**
 * Asks the cluster, as the member's own account, what it may do there, and lays what was granted beside it. For that a
 * token is made that is never given out, bound to a Secret of its own that goes with the answer; both are on record.
 * @param input.member left out, the caller. Of others only owners may ask.
 * @throws Fault `forbidden`; `missing`; `conflict` when it has no account there; `unavailable` while the cluster does
 * not answer.
 */
export async function comparison(
  ctx: Work,
  id: ID<"cluster">,
  input: { project?: ID<"project"> | undefined; member?: ID<"member"> | undefined },
): Promise<Comparison> {
  const where = { cluster: id, ...(input.project && { project: input.project }) };
  allow(ctx, "cluster:access", where);
  if (input.member !== undefined && input.member !== ctx.actor.member) allow(ctx, "member:write", where);
  const rows = await Grant.read(ctx);
  const member = rows.members.find((each) => each.id === (input.member ?? ctx.actor.member));
  if (member === undefined) throw missing("member");
  const project = rows.projects.find((each) => each.id === input.project);
  if (input.project !== undefined && project === undefined) throw missing("project");
  const door = await Cluster.accessTarget(ctx, id);
  const namespace = project?.name ?? "default";
  const reviewed = await review(ctx, { cluster: id, member: member.id, namespace, door });
  const granted = declared(rows, member.id, { cluster: id, project: project?.id }, ctx.now());
  const { id: who, name } = member;
  return { member: { id: who, name }, account: kubeName(who), namespace, ...compare(granted, reviewed) };
}

interface Asked {
  cluster: ID<"cluster">;
  member: ID<"member">;
  namespace: string;
  door: Awaited<ReturnType<typeof Cluster.accessTarget>>;
}

async function review(ctx: Work, { cluster, member, namespace, door }: Asked): Promise<Reviewed> {
  const kube = ctx.kube(door.target);
  const account = { name: kubeName(member), namespace: door.namespace };
  try {
    const session = await newSession(ctx, kube, { member, namespace: door.namespace });
    try {
      const { token } = await kube.token(account, {
        seconds,
        secret: { name: session.metadata.name, uid: session.metadata.uid },
      });
      // On record before it is used: no token of somebody's account works that nobody can account for.
      await ctx.table.write(Audit.entry(ctx, { verb: "cluster:review", target: cluster, changes: [member] }));
      const { status } = await ctx.kube({ ...door.target, user: { token } }).review({
        apiVersion: "authorization.k8s.io/v1",
        kind: "SelfSubjectRulesReview",
        spec: { namespace },
      });
      return status === undefined ? {} : (status as Reviewed);
    } finally {
      const { name, uid } = session.metadata;
      await kube.remove({ apiVersion: "v1", kind: "Secret", name, namespace: door.namespace }, { uid });
    }
  } catch (error) {
    if (!(error instanceof KubeFault)) throw error;
    ctx.log.warn("rights in a cluster could not be reviewed", { cluster, kind: error.kind, why: error.message });
    if (error.kind === "missing") {
      throw new Fault("conflict", "The member has no account in this cluster (yet).", { cause: error });
    }
    throw new Fault("unavailable", "The cluster can't be asked now.", { cause: error, retryAfterSeconds: 5 });
  }
}

/** Of one call alone. What a crash leaves behind goes with the rest of the sessions of that token or member. */
function newSession(
  ctx: Work,
  kube: Kube,
  { member, namespace }: { member: ID<"member">; namespace: string },
): Promise<Found> {
  const labels = {
    ...ours,
    "berth.dev/member": kubeName(member),
    ...(ctx.actor.token !== null && { "berth.dev/token": kubeName(ctx.actor.token) }),
  };
  const name = `review-${Buffer.from(ctx.random(10)).toString("hex")}`;
  return kube.create({
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name, namespace, labels },
    type: "berth.dev/session",
  });
}
