// The slow round's look at what people and projects have in a cluster: read-only, and in few calls.
import { inward, sightOf } from "../cluster/index.ts";
import type { Work } from "../context.ts";
import type { ID } from "../id.ts";
import { labelsOf } from "./owed.ts";
import { accessKind, accessOf } from "./schema.ts";
import { list, projectKinds, rightKinds } from "./sight.ts";

const halves = ["rights", "projects"] as const;

/**
 * Whether a half of what Berth keeps for people in a cluster is as it last was seen. At most 6 calls, all told: the
 * rows, the key's opening, four lists of metadata. A row that somebody works on, or that waits for its time, is left to
 * them.
 * @param half which of the two is looked at.
 * @returns what differs, in words for the log; nothing when all is well.
 * @throws KubeFault when a list does not come.
 */
export async function visit(work: Work, id: ID<"cluster">, half: (typeof halves)[number]): Promise<string | undefined> {
  const [cluster, row] = await inward(work, id, [accessKind, accessOf(id)]);
  if (cluster?.state !== "standing") return undefined;
  if (row === undefined) return "nothing is kept of it yet";
  const settled = row.observedGeneration === row.generation && row.failures === 0 && row.holder === undefined;
  if (!settled || row.sight === undefined) return undefined;
  const kube = await cluster.open({ heard: true });
  const found = await list(kube, half === "rights" ? rightKinds : projectKinds, {
    labels: labelsOf(row),
    metadata: true,
  });
  const [was, is] = [row.sight.split(".")[halves.indexOf(half)], sightOf(found)];
  return was === is ? undefined : `its ${half} are other than they were`;
}
