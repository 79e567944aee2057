import { randomUUID } from "node:crypto";
import { KubeFault, type Found, type Kube, type Manifest, type Ref, type Seen, type Target } from "#core/context.ts";
import type { Container } from "../kubelet.ts";

/** One API server, real or not. Its fields are set once it is up. */
export interface Subject {
  kube(target: Target): Kube;
  /** As its administrator. */
  api: Kube;
  admin: Target;
  weak: Target;
  /** Berth's own identity on a host, under the role and the fence of docs/host-role.yaml. */
  berth: Target;
  /** A Pod in a namespace of its own, with one container of this name. */
  pod(container: string): Promise<Container>;
  /** What that container is logged to have said, from now on. */
  say(container: Container, text: string): void;
  /** History up to now can no longer be watched (of Leases, at least). */
  forget(): Promise<void>;
}

/** How a call ended: `fine`, or the kind of its fault. */
export const kindOf = async (call: Promise<unknown>): Promise<string> =>
  await call.then(
    () => "fine",
    (error: unknown) => (error instanceof KubeFault ? error.kind : `no KubeFault: ${String(error)}`),
  );

export async function gather(changes: AsyncIterable<Seen>): Promise<Seen[]> {
  const seen: Seen[] = [];
  for await (const change of changes) seen.push(change);
  return seen;
}

/** A namespace for one test alone. */
export async function space(kube: Kube): Promise<string> {
  const name = `t-${randomUUID().slice(0, 8)}`;
  await kube.create({ apiVersion: "v1", kind: "Namespace", metadata: { name } });
  return name;
}

export const configMap = (namespace: string, name: string, data: Record<string, string>, labels = {}): Manifest => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace, labels },
  data,
});

export const refOf = ({ apiVersion, kind, metadata: { name, namespace } }: Manifest): Ref => ({
  apiVersion,
  kind,
  name,
  ...(namespace === undefined ? {} : { namespace }),
});

export const version = (object: Found | undefined): string => object?.metadata.resourceVersion ?? "";
