import type { Context } from "#core/context.ts";
import * as Access from "#core/access/index.ts";
import { within } from "#core/allow.ts";
import type { ID } from "#core/id.ts";
import * as Project from "#core/project/index.ts";
import type { Deps } from "../deps.ts";

/** The answer's field `confirmation`: which clusters hold a change of rights by now. */
export const Confirmation = Access.Confirmation.meta({
  id: "Confirmation",
  description: "Which clusters hold the change by now, and which do not yet, and why.",
});

/**
 * Tells the clusters what the request has changed. Called after the verb: what was noted with the change is told by the
 * sweep if this process ends before.
 * @param options.seconds how long to wait for the clusters to have taken away what is not granted any more.
 * @param options.gives wait for what was given too: where that is all that the change does.
 */
export async function tell(
  c: { var: { ctx: Context; deps: Deps } },
  { seconds = 0, gives = false }: { seconds?: number; gives?: boolean } = {},
): Promise<Access.Confirmation> {
  const { ctx, deps } = c.var;
  // Others' changes may be told in the same breath; a token that is bound is told of what it reaches.
  const clusters = await reached(ctx, await Access.spread(ctx));
  return await Access.confirm(ctx, clusters, { seconds, gives, sleep: (ms) => deps.sleep(ms) });
}

async function reached({ actor, table }: Context, clusters: ID<"cluster">[]): Promise<ID<"cluster">[]> {
  if (actor.within === undefined) return clusters;
  const found = await table.getAll((actor.within.projects ?? []).map((id) => [Project.projectKind, id] as const));
  const placed = found.flatMap((row) => (row?.places ?? []).map(({ cluster }) => ({ cluster, project: row?.id })));
  return clusters.filter((cluster) => {
    const on = placed.filter((place) => place.cluster === cluster);
    return (
      within({ actor }, { cluster }) ||
      on.some(({ project }) => within({ actor }, { cluster, ...(project && { project }) }))
    );
  });
}
