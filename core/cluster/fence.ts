// What keeps an older worker's writes off a host: the lease's epoch is on all that Berth writes there, and the host
// refuses what is below (docs/host-role.yaml has the policy, decision 0014 the why).
import { type Found, type Kube, KubeFault, type Manifest } from "../context.ts";
import { refOf } from "../kube/index.ts";

export const epochAnnotation = "berth.dev/epoch";
/** Status changes of a workload move its version as we look; more than a few in a row are another's work. */
const triesMax = 5;

/** The epoch that an object was last written under; -1 when it tells none. */
export function epochOf({ metadata }: Manifest): number {
  const text = metadata.annotations?.[epochAnnotation];
  return text !== undefined && /^[0-9]{1,15}$/.test(text) ? Number(text) : -1;
}

/** The manifest as it is written under this epoch. Only here, so that an epoch is never drift. */
export const fenced = (manifest: Manifest, epoch: number): Manifest => ({
  ...manifest,
  metadata: {
    ...manifest.metadata,
    annotations: { ...manifest.metadata.annotations, [epochAnnotation]: String(epoch) },
  },
});

/**
 * The object with our epoch on it, written only where a lower one is.
 * @throws KubeFault `conflict` when it moved on or is gone: it is to be looked at again
 */
export async function raised(kube: Kube, found: Found, epoch: number): Promise<Found> {
  if (epochOf(found) >= epoch) return found;
  try {
    return await kube.annotate(refOf(found), found.metadata, { [epochAnnotation]: String(epoch) });
  } catch (error) {
    if (!(error instanceof KubeFault) || error.kind !== "missing") throw error;
    throw new KubeFault("conflict", error.message, { status: error.status, cause: error });
  }
}

/**
 * Removes an object of a host under our epoch: the host lets only who stamped it under the present epoch do so.
 * @param any that object however it stands by now; else exactly the version we saw, or a KubeFault `conflict`.
 */
export async function removeFenced(kube: Kube, found: Found, epoch: number, any: boolean): Promise<void> {
  const ref = refOf(found);
  // A namespace takes all in it along, and no epoch of its contents is asked then: only its own version protects it.
  if (found.kind === "Namespace") return await kube.remove(ref, (await raised(kube, found, epoch)).metadata);
  for (let tries = 1, there: Found | undefined = found; there?.metadata.uid === found.metadata.uid; tries += 1) {
    try {
      const { uid, resourceVersion } = (await raised(kube, there, epoch)).metadata;
      return await kube.remove(ref, any ? { uid } : { uid, resourceVersion });
    } catch (error) {
      if (!any || tries >= triesMax || !(error instanceof KubeFault) || error.kind !== "conflict") throw error;
      there = await kube.get(ref);
    }
  }
}
