import { api, core, drop, get, inside, members, named, patch, post, system, type Try } from "./try.ts";

/** What is nobody's but an owner's, one by one. */
export const reaching = (namespace: string): Try[] => [...data(namespace), ...parts(namespace), ...guards()];

function data(namespace: string): Try[] {
  const space = `${core}/namespaces/${namespace}`;
  return [
    get("Secrets of everybody", `${core}/secrets`),
    get("Pods of everybody", `${core}/pods`),
    get("ConfigMaps of everybody", `${core}/configmaps`),
    get("Secrets of kube-system", `${system}/secrets`),
    get("Pods of kube-system", `${system}/pods`),
    get("ConfigMaps of kube-system", `${system}/configmaps`),
    get("a log of kube-system", `${system}/pods/any/log`),
    get("Secrets of members", `${members}/secrets`),
    get("Pods of members", `${members}/pods`),
    get("accounts of members", `${members}/serviceaccounts`),
    get("to watch the members' Secrets", `${members}/secrets?watch=true&timeoutSeconds=1`),
    get("Secrets of default", `${core}/namespaces/default/secrets`),
    get("a kubelet through the API server", `${core}/nodes/one/proxy/pods`),
    get("a kubelet's metrics", `${core}/nodes/one/metrics`),
    inside(get("a Pod through the API server", `${space}/pods/any/proxy/`)),
    inside(get("a Service through the API server", `${space}/services/any/proxy/`)),
    get("the API server's metrics", "/metrics"),
    get("the API server's profile", "/debug/pprof/"),
    get("the API server's flags", "/debug/flags/v"),
  ];
}

function parts(namespace: string): Try[] {
  const space = `${core}/namespaces/${namespace}`;
  const slices = `${api("discovery.k8s.io")}/namespaces/${namespace}/endpointslices`;
  const level = { metadata: { labels: { "pod-security.kubernetes.io/enforce": "privileged" } } };
  const disk = { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], hostPath: { path: "/" } };
  const leader = `${api("coordination.k8s.io")}/namespaces/kube-system/leases/kube-controller-manager`;
  return [
    post("a node", `${core}/nodes`, named("mine")),
    patch("a node's status", `${core}/nodes/one/status`, { status: {} }),
    drop("a node gone", `${core}/nodes/one`),
    post("a namespace", `${core}/namespaces`, named("mine")),
    inside(patch("another Pod Security level", space, level)),
    inside(drop("the project's namespace gone", space)),
    inside(patch("Berth's label off a namespace", space, { metadata: { labels: { "berth.dev/access": null } } })),
    inside(patch("a higher quota", `${space}/resourcequotas/berth`, { spec: { hard: { pods: "1000" } } })),
    inside(drop("no quota", `${space}/resourcequotas/berth`)),
    inside(drop("no limits", `${space}/limitranges/berth`)),
    inside(post("an endpoint elsewhere", slices, named("mine", { addressType: "IPv4", endpoints: [] }))),
    post("a disk of a node", `${core}/persistentvolumes`, named("mine", { spec: disk })),
    patch("the leader of the controllers", leader, { spec: {} }),
    post("a definition", `${api("apiextensions.k8s.io")}/customresourcedefinitions`, named("mine.example.com")),
    post("a storage class", `${api("storage.k8s.io")}/storageclasses`, named("mine", { provisioner: "none" })),
    post("a priority", `${api("scheduling.k8s.io")}/priorityclasses`, named("mine", { value: 1 })),
    post("a flow schema", `${api("flowcontrol.apiserver.k8s.io")}/flowschemas`, named("mine")),
    inside(
      post(
        "what others may do here",
        `${api("authorization.k8s.io")}/namespaces/${namespace}/localsubjectaccessreviews`,
        {
          metadata: { namespace },
          spec: { user: "any", resourceAttributes: { verb: "get", resource: "pods", namespace } },
        },
      ),
    ),
  ];
}

/** What sees or decides every request. */
function guards(): Try[] {
  const hooks = api("admissionregistration.k8s.io");
  const webhook = named("mine", { webhooks: [] });
  const asked = { spec: { user: "any", resourceAttributes: { verb: "get", resource: "pods" } } };
  return [
    post("a mutating webhook", `${hooks}/mutatingwebhookconfigurations`, webhook),
    post("a validating webhook", `${hooks}/validatingwebhookconfigurations`, webhook),
    post("an admission policy", `${hooks}/validatingadmissionpolicies`, named("mine", { spec: {} })),
    post("an aggregated API", `${api("apiregistration.k8s.io")}/apiservices`, named("v1.mine.example.com")),
    post("what others may do", `${api("authorization.k8s.io")}/subjectaccessreviews`, asked),
    post("whose a token is", `${api("authentication.k8s.io")}/tokenreviews`, { spec: { token: "x" } }),
    patch("where joining nodes are led", `${core}/namespaces/kube-public/configmaps/cluster-info`, { data: {} }),
  ];
}
