// A host's first words with us: which cluster it is, whether our credential works there, whether it fences.
import { type Kube, KubeFault, type Manifest, ours, type Target, type Work } from "../context.ts";
import { Fault } from "../error.ts";

export interface Greeting {
  /** What it says it runs, such as `v1.34.4`. */
  runs: string;
  /** The uid of its kube-system; undefined where there is none. */
  kubeSystem: string | undefined;
  fenced: boolean;
}

/** Nobody has an epoch for it, so a host that fences refuses it; it is only tried, never made. */
const probe: Manifest = {
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name: "berth-fence-probe", labels: ours },
};

/**
 * Whether it refuses writes that carry no epoch: then it also refuses those of an older worker.
 * @throws KubeFault when it can't be told, `forbidden` when our identity may make no namespaces at all.
 */
export async function fences(kube: Kube): Promise<boolean> {
  try {
    await kube.create(probe, { dryRun: true });
    return false;
  } catch (refused) {
    if (!(refused instanceof KubeFault)) throw refused;
    // RBAC and the policy both say Forbidden; only their words tell them apart.
    if (refused.kind === "forbidden" && !/cannot (create|patch) resource/.test(refused.message)) return true;
    throw refused;
  }
}

export async function kubeSystemOf(kube: Kube): Promise<string | undefined> {
  return (await kube.get({ apiVersion: "v1", kind: "Namespace", name: "kube-system" }))?.metadata.uid;
}

/** @throws Fault `invalid` on `kubeconfig` when its server refuses it; `unavailable` when it does not answer. */
export async function greet(work: Pick<Work, "kube">, target: Target): Promise<Greeting> {
  try {
    const kube = work.kube(target);
    const runs = await kube.version();
    return { runs, kubeSystem: await kubeSystemOf(kube), fenced: await fences(kube) };
  } catch (cause) {
    if (!(cause instanceof KubeFault)) throw cause;
    if (cause.kind === "unavailable" || cause.kind === "throttled") {
      throw new Fault("unavailable", "The host's API server did not answer.", { cause, retryAfterSeconds: 30 });
    }
    const message = `its server refused it: ${cause.kind}`;
    throw new Fault("invalid", `The kubeconfig does not work, ${message}.`, {
      cause,
      errors: [{ field: "kubeconfig", message }],
    });
  }
}

/** The fields that a kubeconfig's faults name are inside of ours. */
export async function read(kubeconfig: string): Promise<Target> {
  // Loaded at first need: the parser of YAML is larger than all that the other routes of its function stand on.
  const { parseKubeconfig } = await import("../kube/kubeconfig.ts");
  try {
    return parseKubeconfig(kubeconfig);
  } catch (cause) {
    if (!(cause instanceof Fault)) throw cause;
    const errors = cause.errors.map(({ field, message }) => ({ field: `kubeconfig.${field}`, message }));
    throw new Fault("invalid", cause.message, { cause, errors });
  }
}
