import * as Cluster from "#core/cluster/index.ts";
import type { Context } from "#core/context.ts";
import { CreateInput, type Grant } from "#core/grant/index.ts";
import * as Grants from "#core/grant/index.ts";
import type { ID } from "#core/id.ts";
import * as Project from "#core/project/index.ts";
import type { Role } from "#core/role.ts";
import * as Team from "#core/team/index.ts";
import { newStage } from "../../functions/stage.ts";

/** A tenant with an owner, two clusters and two projects: `shop` on both, `blog` on the south alone. */
export async function newGround() {
  const stage = newStage();
  const { tenant, ada } = await stage.red();
  await stage.host();
  const cluster = async (name: string) => (await Cluster.create(ada, Cluster.CreateInput.parse({ name }))).id;
  const [north, south] = [await cluster("north"), await cluster("south")];
  const project = async (name: string, clusters: ID<"cluster">[]) => {
    const places = clusters.map((each) => ({ cluster: each }));
    return (await Project.create(ada, Project.CreateInput.parse({ name, places }))).id;
  };
  const [shop, blog] = [await project("shop", [north, south]), await project("blog", [south])];
  const kept = (kind: string): Record<string, unknown>[] =>
    [...stage.tables.rows()].filter(([key]) => key.startsWith(`${tenant}/${kind}/`)).map(([, row]) => row);
  const ground = {
    stage,
    tenant,
    ada,
    north,
    south,
    shop,
    blog,
    /** Another member, as a door knows it. */
    async as(role: Role, within?: Context["actor"]["within"]): Promise<Context & { id: ID<"member"> }> {
      const person = await stage.member(tenant, role);
      const ctx = await stage.enter(person.text);
      return { ...ctx, actor: { ...ctx.actor, ...(within && { within }) }, id: person.member };
    },
    team: async (...members: ID<"member">[]) =>
      (await Team.create(ada, Team.CreateInput.parse({ name: `team${kept("team").length}`, members }))).id,
    give: (ctx: Context, input: Pick<Grant, "subject" | "group" | "scope"> & { expiresInDays?: number }) =>
      Grants.create(ctx, CreateInput.parse(input)),
    /** The rows of a kind. */
    kept,
    grants: (): string[] => kept("grant").map(({ id }) => String(id)),
    /** What an owner's audit tells, oldest first. */
    verbs: (): unknown[] => kept("audit").map(({ verb }) => verb),
    /** Which clusters were noted by what `work` did. */
    async noted(work: () => Promise<unknown>): Promise<unknown[]> {
      const before = new Set(kept("outbox").map(({ id }) => id));
      await work();
      return kept("outbox")
        .filter(({ id }) => !before.has(id))
        .map(({ clusters }) => clusters);
    },
  };
  return ground;
}
export type Ground = Awaited<ReturnType<typeof newGround>>;
