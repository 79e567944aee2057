// What an object is called, and how its faults are.
import { KubeFault, type Found, type Manifest, type Query, type Ref } from "#core/context.ts";
import { placeOf } from "#core/kube/kinds.ts";

export function refOf({ apiVersion, kind, metadata: { name, namespace } }: Manifest): Ref {
  return { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) };
}

export const fault = (kind: KubeFault["kind"], status: number, on: Query | Ref, text: string): KubeFault =>
  new KubeFault(kind, `${on.kind} ${[on.namespace, "name" in on ? on.name : ""].join("/")}: ${status} ${text}`, {
    status,
  });

export function finalizersOf(object: Manifest): unknown[] {
  const own = object.metadata["finalizers"];
  const spec = object.kind === "Namespace" ? (object["spec"] as { finalizers?: unknown[] } | undefined) : undefined;
  return [...(Array.isArray(own) ? own : []), ...(spec?.finalizers ?? [])];
}

export const keyOf = ({ apiVersion, kind, namespace, name }: Ref): string =>
  [apiVersion, kind, namespace ?? "", name].join("\u0000");

export function isOf(object: Found, { apiVersion, kind, namespace, labels }: Query): boolean {
  if (object.apiVersion !== apiVersion || object.kind !== kind) return false;
  if (namespace !== undefined && object.metadata.namespace !== namespace) return false;
  return Object.entries(labels ?? {}).every(([key, value]) => object.metadata.labels?.[key] === value);
}

export function checkName(ref: Ref): void {
  const pattern = placeOf(ref).root.includes("rbac") ? /^[^/%]+$/ : /^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/;
  if (!pattern.test(ref.name)) throw fault("invalid", 422, ref, "Invalid metadata.name FieldValueInvalid");
}
