import type { Found, Manifest, Ref } from "#core/context.ts";
import { fault } from "./ref.ts";
import type { Objects } from "./server.ts";

const namespaced = ["Service", "Secret", "ConfigMap", "PersistentVolumeClaim", "ResourceQuota", "StatefulSet"];
const matched = new Set(["Namespace", ...namespaced, "Deployment", "NetworkPolicy", "PodDisruptionBudget"]);

const textOf = (object: Manifest | undefined): string => object?.metadata.annotations?.["berth.dev/epoch"] ?? "";
const epochOf = (object: Manifest | undefined): number =>
  /^[0-9]{1,15}$/.test(textOf(object)) ? Number(textOf(object)) : -1;

/** What a server asks before it keeps or drops something. @throws KubeFault when it may not be */
export type Admit = (
  ref: Ref,
  stood: Found | undefined,
  /** As it would be; or, where it would go, what the removal was bound to. */
  wanted: { next: Manifest } | { seen: { resourceVersion?: string } },
) => void;

/** The policy of docs/host-role.yaml, which the contract tests hold it to, for a caller that it matches. */
export function fenceOf(objects: Objects): Admit {
  return (ref, stood, wanted) => {
    if (!matched.has(ref.kind)) return;
    const space = { apiVersion: "v1", kind: "Namespace", name: ref.namespace ?? "" };
    const around = ref.namespace === undefined ? undefined : objects.find(space);
    const [theirs, spaces] = [epochOf(stood), epochOf(around)];
    const refuse = (why: string): never => {
      throw fault("forbidden", 403, ref, `Forbidden berth-fence: ${why}`);
    };
    if ("next" in wanted) {
      const ours = epochOf(wanted.next);
      if (ours < 0) refuse(`berth.dev/epoch must be a whole number, and is "${textOf(wanted.next)}"`);
      if (ours < theirs) refuse(`the epoch ${ours} of this write is below the object's ${theirs}`);
      if (ours < spaces) refuse(`the epoch ${ours} of this write is below the namespace's ${spaces}`);
      return;
    }
    if (theirs < spaces) refuse(`the epoch ${theirs} of what is removed is below the namespace's ${spaces}`);
    if (ref.kind === "Namespace" && wanted.seen.resourceVersion === undefined)
      refuse("a namespace is removed with the resourceVersion that was seen, and this names none");
  };
}
