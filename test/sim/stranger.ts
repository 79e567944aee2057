import type { Found } from "#core/context.ts";
import { refOf } from "../world/apiserver/ref.ts";
import { one } from "./dice.ts";
import type { Ground } from "./ground.ts";

/** Whose loss we make good. A volume that is gone took its data with it: nobody can. */
const ours = ["Secret", "ConfigMap", "Service", "Deployment", "StatefulSet", "NetworkPolicy", "PodDisruptionBudget"];
const within = [
  "ConfigMap",
  "EndpointSlice",
  "ServiceAccount",
  "ClusterRole",
  "ClusterRoleBinding",
  "Role",
  "RoleBinding",
  "ResourceQuota",
  "NetworkPolicy",
];

/** Somebody else deletes or edits one of our objects of a cluster, on its host or inside of it. */
export function disturb({ world, dice, tell }: Ground, namespace: string, key: string): void {
  const inside = dice("inside", key) < 0.3;
  const own = ({ kind, metadata }: Found): boolean =>
    inside
      ? within.includes(kind) &&
        (metadata.labels?.["berth.dev/cluster"] === namespace ||
          metadata.labels?.["berth.dev/access"] === namespace.replace("cls", "acc"))
      : ours.includes(kind) && metadata.namespace === namespace;
  const found = [...world.kubes.servers.values()].flatMap(({ objects }) =>
    objects
      .all()
      .filter(own)
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map((object) => ({ objects, object })),
  );
  if (found.length === 0) return;
  const { objects, object } = one(dice("what", key), found);
  const { kind, metadata } = object;
  const edits = dice("edits", key);
  tell(`a stranger at ${kind} ${metadata.namespace ?? ""}/${metadata.name} ${edits}`);
  if (edits < 0.5) objects.remove(refOf(object), { uid: metadata.uid });
  else if (edits < 0.75) objects.change({ ...object, metadata: { ...metadata, labels: {} } });
  else objects.change(edited(object));
}

function edited(object: Found): Found {
  switch (object.kind) {
    case "Deployment":
    case "StatefulSet":
      return { ...object, spec: { ...(object["spec"] as object), replicas: 0 } };
    case "Secret":
    case "ConfigMap":
      return { ...object, data: {} };
    case "ClusterRoleBinding":
    case "RoleBinding":
      return { ...object, subjects: [] };
    default:
      return { ...object, metadata: { ...object.metadata, labels: {} } };
  }
}
