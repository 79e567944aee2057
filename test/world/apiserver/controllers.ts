import type { Found, Manifest } from "#core/context.ts";
import { isFields } from "./merge.ts";
import { finalizersOf, refOf } from "./ref.ts";
import type { Objects } from "./server.ts";

/**
 * One round of Kubernetes' controllers: volumes are bound, workloads run, what is being removed goes.
 * @param runs whether the Pods of this Deployment or StatefulSet get ready.
 */
export function play(objects: Objects, runs: (workload: Found) => boolean): void {
  for (const object of objects.all()) {
    if (object.metadata.deletionTimestamp !== undefined) finish(objects, object);
    else if (object.kind === "StatefulSet") claim(objects, object);
  }
  for (const object of objects.all()) {
    const ready = (object.kind === "Deployment" || object.kind === "StatefulSet") && runs(object);
    if (object.metadata.deletionTimestamp === undefined) run(objects, object, ready);
  }
}

function run(objects: Objects, object: Found, ready: boolean): void {
  const wanted = replicasOf(object);
  const count = ready ? wanted : 0;
  const observedGeneration = object.metadata["generation"];
  switch (object.kind) {
    case "PersistentVolumeClaim":
      objects.change({ ...object, status: { phase: "Bound" } });
      return;
    case "Deployment": {
      const conditions = [{ type: "Available", status: count >= wanted ? "True" : "False" }];
      const replicas = { replicas: wanted, updatedReplicas: wanted, readyReplicas: count, availableReplicas: count };
      objects.change({ ...object, status: { observedGeneration, ...replicas, conditions } });
      return;
    }
    case "StatefulSet": {
      const replicas = { replicas: wanted, updatedReplicas: wanted, readyReplicas: count, availableReplicas: count };
      const revision = `${object.metadata.name}-${String(observedGeneration)}`;
      const revisions = { currentRevision: revision, updateRevision: revision, currentReplicas: wanted };
      objects.change({ ...object, status: { observedGeneration, ...replicas, ...revisions } });
      return;
    }
    default:
  }
}

/** The claims of a StatefulSet; like the real ones they outlive it. */
function claim(objects: Objects, object: Found): void {
  const spec = specOf(object);
  const templates = Array.isArray(spec["volumeClaimTemplates"]) ? (spec["volumeClaimTemplates"] as Manifest[]) : [];
  const selector = isFields(spec["selector"]) ? (spec["selector"]["matchLabels"] as Record<string, string>) : {};
  const { name: setName, namespace } = object.metadata;
  if (namespace === undefined || isLeaving(objects, namespace)) return;
  for (const template of templates) {
    for (let index = 0; index < replicasOf(object); index++) {
      const name = `${template.metadata.name}-${setName}-${index}`;
      const labels = { ...template.metadata.labels, ...selector };
      const metadata = { ...template.metadata, name, namespace, labels };
      const manifest = { ...template, apiVersion: "v1", kind: "PersistentVolumeClaim", metadata };
      if (objects.find(refOf(manifest)) === undefined) objects.create(manifest);
    }
  }
}

/** A claim goes at once; a namespace goes when all in it is gone, and what holds on to a finalizer holds it too. */
function finish(objects: Objects, object: Found): void {
  if (object.kind === "PersistentVolumeClaim") {
    const held = finalizersOf(object).filter((name) => name !== "kubernetes.io/pvc-protection");
    objects.change({ ...object, metadata: { ...object.metadata, finalizers: held } });
  }
  if (object.kind !== "Namespace") return;
  const inside = (): Found[] => objects.all().filter(({ metadata }) => metadata.namespace === object.metadata.name);
  for (const one of inside()) {
    objects.remove(refOf(one), { uid: one.metadata.uid });
    const left = objects.find(refOf(one));
    if (left !== undefined) finish(objects, left);
  }
  if (inside().length === 0) objects.change({ ...object, spec: { ...specOf(object), finalizers: [] } });
}

/** Also one that has gone in this very round. */
function isLeaving(objects: Objects, name: string): boolean {
  const found = objects.find({ apiVersion: "v1", kind: "Namespace", name });
  return found === undefined || found.metadata.deletionTimestamp !== undefined;
}

const specOf = (object: Manifest): Record<string, unknown> => (isFields(object["spec"]) ? object["spec"] : {});
const replicasOf = (object: Manifest): number => Number(specOf(object)["replicas"] ?? 1);
