import * as Access from "#core/access/index.ts";
import type { Context } from "#core/context.ts";
import * as Project from "#core/project/index.ts";
import { Confirmation, tell } from "./tell.ts";

export const View = Project.View.meta({
  id: "Project",
  description: "A team's space: a namespace of its name on each of its clusters, with one limit over all of them.",
});
export const Told = View.extend({ confirmation: Confirmation }).meta({
  id: "ProjectTold",
  description: "A project, and which clusters have taken away by now what was taken.",
});

/** Projects as callers see them: with what was last seen of them on their clusters, read for all of them at once. */
export async function shown(ctx: Context, projects: Project.Project[]): Promise<Project.View[]> {
  const states = await Access.stateOf(ctx, projects);
  return projects.map((project) => Project.view(project, states.get(project.id) ?? new Map(), ctx.now()));
}
/** One of them. */
export async function show(ctx: Context, project: Project.Project): Promise<Project.View> {
  const states = await Access.stateOf(ctx, [project]);
  return Project.view(project, states.get(project.id) ?? new Map(), ctx.now());
}
/** A change, once its clusters were told. */
export async function told(c: Parameters<typeof tell>[0], project: Project.Project, seconds: number) {
  const confirmation = await tell(c, { seconds });
  return { ...(await show(c.var.ctx, project)), confirmation };
}
