import type { Context } from "../context.ts";
import * as Grant from "../grant/index.ts";
import type { ID } from "../id.ts";
import * as Project from "../project/index.ts";

/** With the last place the project may go, and nobody could tell any more what was granted in it: that goes before. */
export async function left(
  ctx: Context,
  { id, deletedAt }: Pick<Project.Project, "id" | "deletedAt">,
  cluster: ID<"cluster">,
): Promise<void> {
  if (deletedAt !== undefined) await Grant.endScope(ctx, id);
  await Project.left(ctx, id, cluster);
}
