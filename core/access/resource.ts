// The resources that every cluster has beside the core ones, by their API group: people say `deployments`, rules say apps.
const groups: Record<string, string> = {
  apps: "controllerrevisions daemonsets deployments replicasets statefulsets",
  batch: "cronjobs jobs",
  autoscaling: "horizontalpodautoscalers",
  policy: "poddisruptionbudgets",
  "networking.k8s.io": "ingressclasses ingresses ipaddresses networkpolicies servicecidrs",
  "rbac.authorization.k8s.io": "clusterrolebindings clusterroles rolebindings roles",
  "storage.k8s.io": "csidrivers csinodes csistoragecapacities storageclasses volumeattachments",
  "discovery.k8s.io": "endpointslices",
  "coordination.k8s.io": "leases",
  "scheduling.k8s.io": "priorityclasses",
  "certificates.k8s.io": "certificatesigningrequests",
  "apiextensions.k8s.io": "customresourcedefinitions",
  "apiregistration.k8s.io": "apiservices",
  "admissionregistration.k8s.io":
    "mutatingwebhookconfigurations validatingadmissionpolicies validatingadmissionpolicybindings " +
    "validatingwebhookconfigurations",
  "authorization.k8s.io":
    "localsubjectaccessreviews selfsubjectaccessreviews selfsubjectrulesreviews subjectaccessreviews",
  "authentication.k8s.io": "selfsubjectreviews tokenreviews",
};

const known = new Map(
  Object.entries(groups).flatMap(([group, names]) => names.split(" ").map((name): [string, string] => [name, group])),
);

/** The API group of a resource (or subresource) of Kubernetes' own; the core one, empty, of what is not known here. */
export const groupOf = (resource: string): string => known.get(resource.split("/")[0] ?? "") ?? "";
