/** Where a kind lives in the API: `path` up to the namespace or plural. */
interface Place {
  root: string;
  plural: string;
  namespaced: boolean;
}

const namespaced: Record<string, Record<string, string>> = {
  v1: {
    Secret: "secrets",
    ConfigMap: "configmaps",
    Service: "services",
    ServiceAccount: "serviceaccounts",
    Pod: "pods",
    PersistentVolumeClaim: "persistentvolumeclaims",
    ResourceQuota: "resourcequotas",
    LimitRange: "limitranges",
    Endpoints: "endpoints",
    Event: "events",
  },
  "apps/v1": {
    Deployment: "deployments",
    StatefulSet: "statefulsets",
    ReplicaSet: "replicasets",
    DaemonSet: "daemonsets",
  },
  "batch/v1": { Job: "jobs", CronJob: "cronjobs" },
  "networking.k8s.io/v1": { NetworkPolicy: "networkpolicies", Ingress: "ingresses" },
  "policy/v1": { PodDisruptionBudget: "poddisruptionbudgets" },
  "rbac.authorization.k8s.io/v1": { Role: "roles", RoleBinding: "rolebindings" },
  "discovery.k8s.io/v1": { EndpointSlice: "endpointslices" },
  "coordination.k8s.io/v1": { Lease: "leases" },
};

const clusterWide: Record<string, Record<string, string>> = {
  v1: { Namespace: "namespaces", PersistentVolume: "persistentvolumes", Node: "nodes" },
  "rbac.authorization.k8s.io/v1": { ClusterRole: "clusterroles", ClusterRoleBinding: "clusterrolebindings" },
  "admissionregistration.k8s.io/v1": {
    ValidatingAdmissionPolicy: "validatingadmissionpolicies",
    ValidatingAdmissionPolicyBinding: "validatingadmissionpolicybindings",
  },
  "certificates.k8s.io/v1": { CertificateSigningRequest: "certificatesigningrequests" },
  "storage.k8s.io/v1": { StorageClass: "storageclasses" },
  "authorization.k8s.io/v1": {
    SelfSubjectAccessReview: "selfsubjectaccessreviews",
    SelfSubjectRulesReview: "selfsubjectrulesreviews",
    SubjectAccessReview: "subjectaccessreviews",
  },
};

/**
 * The place of a kind, from a table, so that no call has to ask the server first.
 * @throws Error for a kind that is not in the table: that is a bug of ours, not an answer of a server.
 */
export function placeOf({ apiVersion, kind }: { apiVersion: string; kind: string }): Place {
  const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const inNamespace = find(namespaced, apiVersion, kind);
  if (inNamespace !== undefined) return { root, plural: inNamespace, namespaced: true };
  const outside = find(clusterWide, apiVersion, kind);
  if (outside !== undefined) return { root, plural: outside, namespaced: false };
  throw new Error(`the kind ${apiVersion} ${kind} is not in the table of known kinds`);
}

/** The path of a set of objects; without a namespace of all of them. */
export function collectionPath(query: { apiVersion: string; kind: string; namespace?: string }): string {
  const place = placeOf(query);
  if (query.namespace === undefined) return `${place.root}/${place.plural}`;
  if (!place.namespaced) throw new Error(`a ${query.kind} has no namespace`);
  return `${place.root}/namespaces/${segment(query.namespace)}/${place.plural}`;
}

/** The path of one object. @throws Error when the namespace is left out where there must be one. */
export function objectPath(ref: { apiVersion: string; kind: string; name: string; namespace?: string }): string {
  if (placeOf(ref).namespaced && ref.namespace === undefined) throw new Error(`a ${ref.kind} needs a namespace`);
  return `${collectionPath(ref)}/${segment(ref.name)}`;
}

function find(table: Record<string, Record<string, string>>, apiVersion: string, kind: string): string | undefined {
  const kinds = Object.hasOwn(table, apiVersion) ? table[apiVersion] : undefined;
  return kinds !== undefined && Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
}

// An empty name would turn the removal of one object into that of the whole collection.
function segment(name: string): string {
  if (name === "" || name === "." || name === "..") throw new Error(`"${name}" is no name of an object`);
  return encodeURIComponent(name);
}
