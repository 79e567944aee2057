import { allow } from "../allow.ts";
import { KubeFault, type Work } from "../context.ts";
import { Fault } from "../error.ts";
import { type ID, kubeName } from "../id.ts";
import { hostTarget } from "./home.ts";
import { labelsOf } from "./manifests/parts.ts";
import * as store from "./store.ts";

/** The parts of a control plane that say something. */
export const components = ["kube-apiserver", "etcd", "kube-controller-manager", "kube-scheduler"] as const;
/** What one answer may hold: a function's answer may have 6 MB. */
const bytesMax = 4 * 1024 * 1024;

export interface LogInput {
  component: (typeof components)[number];
  lines: number;
  /** ISO 8601; Kubernetes counts whole seconds, so lines of that second come too. */
  since?: string | undefined;
  /** Of the container that ran before the one that runs now. */
  previous: boolean;
}

/**
 * The newest lines of one part of the control plane, each with its time, of the Pod that was made last.
 * @throws Fault `missing`; `conflict` while there is nothing that has said anything; `unavailable` while its host does
 * not answer.
 */
export async function logs(ctx: Work, id: ID<"cluster">, input: LogInput): Promise<string> {
  allow(ctx, "cluster:logs", { cluster: id });
  const { component, lines, previous, since } = input;
  const cluster = await store.get(ctx, id);
  const namespace = kubeName(cluster.id);
  try {
    const kube = ctx.kube(await hostTarget(ctx, cluster.placement.host));
    const labels = { ...labelsOf(cluster), "berth.dev/component": component };
    const { items } = await kube.list({ apiVersion: "v1", kind: "Pod", namespace, labels, metadata: true });
    const made = ({ metadata }: (typeof items)[number]): string => `${metadata.creationTimestamp} ${metadata.name}`;
    const newest = items.sort((a, b) => (made(a) < made(b) ? 1 : -1))[0];
    if (newest === undefined) throw new Fault("conflict", `There is no Pod of ${component} now.`);
    const pod = { name: newest.metadata.name, namespace, container: component };
    const from = since === undefined ? {} : { since: new Date(since).toISOString() };
    return await kube.logs(pod, { lines, bytes: bytesMax, previous, ...from });
  } catch (error) {
    if (!(error instanceof KubeFault)) throw error;
    ctx.log.warn("a log could not be read", { cluster: id, component, kind: error.kind, why: error.message });
    if (error.kind === "missing" || error.kind === "invalid") {
      const what = previous ? "No container of it ran before this one." : "Its container has not begun.";
      throw new Fault("conflict", `There is no log of ${component} now. ${what}`, { cause: error });
    }
    throw new Fault("unavailable", "The log can't be read now.", { cause: error, retryAfterSeconds: 5 });
  }
}
