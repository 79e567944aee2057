import { newStand, type Stand } from "../../flow/stand.ts";
import type { Manifest } from "#core/context.ts";
import { parts as partsOf } from "#core/cluster/home.ts";
import { openKey } from "#core/cluster/keys.ts";
import type { Seen } from "#core/cluster/step.ts";
import type { Cluster } from "#core/cluster/schema.ts";
import { kubeName } from "#core/id.ts";
import { workOf } from "#functions/deps.ts";

/** A cluster that is whole: its row, all that is seen of it, and its objects on the host as they were made. */
export async function newWhole(): Promise<{ stand: Stand; cluster: Cluster; seen: Seen; objects: Manifest[] }> {
  const stand = await newStand();
  const id = await stand.make({ version: "1.34.4", serviceCIDRs: ["10.99.0.0/16"], podCIDRs: ["10.200.0.0/16"] });
  const cluster = stand.row(id);
  if (cluster === undefined) throw new Error("it was not made");
  return { stand, cluster, seen: await sightOf(stand, cluster), objects: [...stand.onHost(id).values()] };
}

async function sightOf(stand: Stand, cluster: Cluster): Promise<Seen> {
  const { id } = cluster;
  const work = await workOf(stand.world.deps, stand.world.context(stand.ada.tenant));
  return {
    parts: await partsOf(work, cluster),
    authorities: (await openKey(work, cluster, "authorities"))?.value,
    leaves: await openKey(work, cluster, "leaves"),
    access: await openKey(work, cluster, "access"),
    objects: new Map(
      stand.kube.objects
        .all()
        .filter(({ metadata }) => (metadata.namespace ?? metadata.name) === kubeName(id))
        .map((one) => [`${one.kind} ${one.metadata.name}`, one]),
    ),
    ready: true,
    inside: new Map(
      stand
        .inside(id)
        .objects.all()
        .filter(({ metadata }) => metadata.labels?.["berth.dev/cluster"] === kubeName(id))
        .map((one) => [
          [one.kind, [one.metadata.namespace, one.metadata.name].filter(Boolean).join("/")].join(" "),
          one,
        ]),
    ),
  };
}
