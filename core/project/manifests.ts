import { createHash } from "node:crypto";
import type { Manifest } from "../kubernetes.ts";
import { kubeName } from "../id.ts";
import { openings } from "./network.ts";
import { parse, print } from "./quantity.ts";
import type { Place, Project } from "./schema.ts";
import { type Limit, printed, split } from "./split.ts";

/** On a project's namespaces and all that Berth keeps in them. */
export const projectLabel = "berth.dev/project";
/** A digest of what was wanted when it was written: a field that is not wanted any more is no drift by itself. */
export const wantedNote = "berth.dev/wanted";

/** How Kubernetes calls what is limited. */
export const resources: Record<Limit, string> = {
  cpu: "requests.cpu",
  memory: "requests.memory",
  storage: "requests.storage",
  pods: "pods",
  services: "services",
  loadBalancers: "services.loadbalancers",
  volumes: "persistentvolumeclaims",
};

/**
 * All that a project is to be on one cluster, its Namespace first; nothing for a place that is leaving. Quantities and
 * lists are written as an API server answers them.
 * @param labels by which the cluster's access row finds again what it made; they go on every object.
 */
export function objects(project: Project, place: Place, labels: Record<string, string>): Manifest[] {
  if (place.leavingAt !== undefined) return [];
  const own = { ...labels, [projectLabel]: kubeName(project.id) };
  const inside = (apiVersion: string, kind: string, name: string, rest: object): Manifest => ({
    apiVersion,
    kind,
    metadata: { name, namespace: project.name, labels: own },
    ...rest,
  });
  const hard = hardOf(project, place);
  const limits = limitsOf(project);
  const { pullSecret } = project.spec;
  return [
    namespace(project, own),
    ...(Object.keys(hard).length > 0 ? [inside("v1", "ResourceQuota", "berth", { spec: { hard } })] : []),
    ...(limits === undefined ? [] : [inside("v1", "LimitRange", "berth", { spec: { limits: [limits] } })]),
    // Kubernetes makes this account itself, without our labels, so it is to be looked up by its name and only applied
    // to. It is wanted whether or not there is a pull secret: were it wanted with one alone, taking the secret away
    // would remove the account, and with it every token of the Pods that run under it.
    inside(
      "v1",
      "ServiceAccount",
      "default",
      pullSecret === undefined ? {} : { imagePullSecrets: [{ name: pullSecret }] },
    ),
    ...policies(project).map(({ name, spec }) => inside("networking.k8s.io/v1", "NetworkPolicy", name, { spec })),
  ].map(noted);
}

function noted(manifest: Manifest): Manifest {
  const digest = createHash("sha256").update(JSON.stringify(manifest)).digest("hex").slice(0, 16);
  return { ...manifest, metadata: { ...manifest.metadata, annotations: { [wantedNote]: digest } } };
}

function namespace({ name, spec }: Project, labels: Record<string, string>): Manifest {
  const security: Record<string, string> = {};
  for (const mode of ["enforce", "audit", "warn"]) {
    security[`pod-security.kubernetes.io/${mode}`] = spec.podSecurity;
    security[`pod-security.kubernetes.io/${mode}-version`] = "latest";
  }
  return {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name, labels: { ...spec.labels, ...labels, ...security } },
  };
}

/** An expired project keeps what it has, and starts no Pod any more. */
function hardOf(project: Project, { cluster }: Place): Record<string, string> {
  const { limits, reservePercent } = project.spec;
  const share = printed(limits, split(limits, reservePercent, project.places).shares.get(cluster) ?? {});
  const hard = Object.entries(share).map(([limit, text]): [string, string] => [resources[limit as Limit], text]);
  return { ...Object.fromEntries(hard), ...(project.expiredAt !== undefined && { pods: "0" }) };
}

/** What an API server would fill in is written out: a request that is not said is the limit. */
function limitsOf({ spec: { defaults } }: Project): object | undefined {
  const { cpuRequest = defaults.cpuLimit, memoryRequest = defaults.memoryLimit, cpuLimit, memoryLimit } = defaults;
  const said = (list: Record<string, string | undefined>): Record<string, string> =>
    Object.fromEntries(
      Object.entries(list).flatMap(([name, text]): [string, string][] => {
        const amount = text === undefined ? undefined : parse(text);
        return amount === undefined ? [] : [[name, print(amount)]];
      }),
    );
  const [limit, request] = [
    said({ cpu: cpuLimit, memory: memoryLimit }),
    said({ cpu: cpuRequest, memory: memoryRequest }),
  ];
  if (Object.keys(request).length === 0) return undefined;
  return { type: "Container", ...(Object.keys(limit).length > 0 && { default: limit }), defaultRequest: request };
}

/**
 * In an open project there is none at all: a policy that lets something in shuts out all else, so that an opening would
 * close what stood open.
 */
function policies({ spec: { network } }: Project): { name: string; spec: object }[] {
  if (network.mode === "open") return [];
  const within = [{ podSelector: {} }];
  const names = {
    to: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "kube-system" } } }],
    ports: [
      { protocol: "UDP", port: 53 },
      { protocol: "TCP", port: 53 },
    ],
  };
  const isolated = {
    podSelector: {},
    policyTypes: ["Ingress", "Egress"],
    ingress: [{ from: within }],
    egress: [{ to: within }, names],
  };
  return [{ name: "berth-isolated", spec: isolated }, ...openings(network.openings, projectLabel)];
}
