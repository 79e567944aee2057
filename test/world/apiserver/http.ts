import { KubeFault, type Asked, type Found, type Manifest, type Passed } from "#core/context.ts";
import { placeOf } from "#core/kube/kinds.ts";
import { allows, reviewed, type User, type Wanted } from "./rbac.ts";
import type { Objects } from "./server.ts";

/** What of a server raw requests reach. */
export interface Reached {
  objects: Objects;
  logs: ReadonlyMap<string, string>;
  version: string;
  ready: boolean;
}

/** Bounds the streams. */
export interface Pace {
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Whether the connection is as it was. */
  whole(): boolean;
}

const kinds = [
  ["v1", ["Namespace", "Node", "Pod", "Secret", "ConfigMap", "Service", "ServiceAccount", "Event", "ResourceQuota"]],
  ["apps/v1", ["Deployment", "StatefulSet", "ReplicaSet"]],
  ["rbac.authorization.k8s.io/v1", ["Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"]],
  ["networking.k8s.io/v1", ["NetworkPolicy"]],
  ["authorization.k8s.io/v1", ["SelfSubjectAccessReview", "SelfSubjectRulesReview", "SubjectAccessReview"]],
].flatMap(([apiVersion, names]) =>
  (names as string[]).map((kind) => ({
    apiVersion: apiVersion as string,
    kind,
    ...placeOf({ apiVersion: apiVersion as string, kind }),
  })),
);

/** A raw request, answered as far as tests of proxies need it: reads, writes of whole objects, watches and logs. */
export function answerOf(server: Reached, user: User | "admin", asked: Asked, pace: Pace): Passed {
  const { pathname, searchParams: query } = new URL(asked.path, "https://server");
  const place = placed(pathname);
  const verb = verbOf(asked.method, place?.name, query);
  const wanted: Wanted =
    place === undefined
      ? { verb: asked.method.toLowerCase(), path: pathname }
      : { verb, group: place.group, resource: place.resource, namespace: place.namespace, name: place.name };
  if (user !== "admin" && !allows(server.objects, user, wanted)) {
    const on = "path" in wanted ? `path "${wanted.path}"` : `resource "${wanted.resource}"`;
    return status(403, "Forbidden", `User "${user.user}" cannot ${wanted.verb} ${on}`);
  }
  try {
    return place === undefined ? plain(server, pathname) : served(server, user, asked, { ...place, verb, query }, pace);
  } catch (error) {
    if (error instanceof KubeFault && error.status > 0) return status(error.status, error.kind, error.message);
    // A body that is no object of Kubernetes.
    if ([SyntaxError, TypeError, RangeError].some((kind) => error instanceof kind))
      return status(400, "BadRequest", "the object provided is unrecognized");
    throw error;
  }
}

interface At {
  group: string;
  /** With its subresource. */
  resource: string;
  apiVersion: string;
  kind: string;
  namespace: string | undefined;
  name: string | undefined;
}

function placed(path: string): At | undefined {
  const found = /^\/(?:api\/(v1)|apis\/([^/]+\/[^/]+))\/(.+)$/.exec(path);
  if (found === null) return undefined;
  const apiVersion = found[1] ?? found[2] ?? "";
  const parts = (found[3] ?? "").split("/").map(decodeURIComponent);
  const inside = parts[0] === "namespaces" && parts.length > 2;
  const namespace = inside ? parts[1] : parts[0] === "namespaces" ? parts[1] : undefined;
  const [plural = "", name, sub] = inside ? parts.slice(2) : parts;
  const kind = kinds.find((one) => one.apiVersion === apiVersion && one.plural === plural)?.kind ?? "";
  const group = apiVersion.includes("/") ? (apiVersion.split("/")[0] ?? "") : "";
  return { group, apiVersion, kind, namespace, name, resource: sub === undefined ? plural : `${plural}/${sub}` };
}

function verbOf(method: string, name: string | undefined, query: URLSearchParams): string {
  if (method === "GET" && query.get("watch") === "true") return "watch";
  if (method === "GET") return name === undefined ? "list" : "get";
  if (method === "DELETE") return name === undefined ? "deletecollection" : "delete";
  return { POST: "create", PUT: "update", PATCH: "patch" }[method] ?? method;
}

function plain({ version, ready }: Reached, path: string): Passed {
  if (path === "/version") return json(200, { gitVersion: version });
  if (["/healthz", "/livez", "/readyz"].includes(path)) return text(ready ? 200 : 500, ready ? "ok" : "not ready");
  if (path === "/api") return json(200, { kind: "APIVersions", versions: ["v1"] });
  if (path === "/apis") return json(200, { kind: "APIGroupList", apiVersion: "v1", groups: [] });
  return status(404, "NotFound", "the server could not find the requested resource");
}

function served(
  server: Reached,
  user: User | "admin",
  { body, signal }: Asked,
  at: At & { verb: string; query: URLSearchParams },
  pace: Pace,
): Passed {
  const { objects } = server;
  const { apiVersion, kind, name = "", verb, query } = at;
  const namespace = kind === "Namespace" ? undefined : at.namespace;
  const space = namespace === undefined ? {} : { namespace };
  const ref = { apiVersion, kind, name, ...space };
  if (kind === "") return status(404, "NotFound", "the server could not find the requested resource");
  const sent = (): Manifest => JSON.parse(Buffer.from(body ?? []).toString()) as Manifest;
  if (apiVersion.startsWith("authorization")) return json(201, reviewed(objects, user, sent()));
  const found = objects.find(ref);
  if (name !== "" && found === undefined) return status(404, "NotFound", `${at.resource} "${name}" not found`);
  if (at.resource === "pods/log") return logged(server, `${namespace}/${name}`, query.has("follow"), signal);
  switch (verb) {
    case "list": {
      const all = objects.list({ apiVersion, kind, ...space });
      const from = Number(query.get("continue") ?? "0");
      const to = from + Number(query.get("limit") ?? all.length);
      const more = to < all.length ? { continue: String(to), remainingItemCount: all.length - to } : {};
      const metadata = { resourceVersion: objects.version, ...more };
      return json(200, { kind: `${kind}List`, apiVersion, metadata, items: all.slice(from, to) });
    }
    case "watch":
      return stream("application/json", watched(objects, at, signal, pace));
    case "get":
      return json(200, found);
    case "create":
      return json(201, objects.create({ ...sent(), apiVersion, kind, metadata: { ...sent().metadata, ...space } }));
    case "update":
    case "patch":
      return json(200, objects.change({ ...(found as Found), ...sent(), metadata: (found as Found).metadata }));
    case "delete":
      objects.remove(ref, { uid: (found as Found).metadata.uid });
      return json(200, { kind: "Status", apiVersion: "v1", status: "Success" });
    default:
      return status(405, "MethodNotAllowed", "the server does not allow this method on the requested resource");
  }
}

async function* watched(
  objects: Objects,
  { apiVersion, kind, namespace, query }: At & { query: URLSearchParams },
  signal: AbortSignal,
  pace: Pace,
): AsyncGenerator<Uint8Array, void> {
  const ended = new AbortController();
  const seconds = Number(query.get("timeoutSeconds") ?? "1800");
  void pace.sleep(seconds * 1_000, ended.signal).then(() => {
    ended.abort();
    objects.wake();
  });
  const wake = (): void => objects.wake();
  signal.addEventListener("abort", wake, { once: true });
  try {
    for (let version = Number(query.get("resourceVersion") ?? objects.version); !ended.signal.aborted; ) {
      const seen = objects.since({ apiVersion, kind, ...(namespace !== undefined && { namespace }) }, version);
      version = seen.version;
      for (const change of seen.changes) yield Buffer.from(`${JSON.stringify(change)}\n`);
      if (signal.aborted || !pace.whole()) throw new KubeFault("unavailable", "the answer: it broke off");
      if (seen.changes.length === 0 && !ended.signal.aborted) await objects.next();
    }
  } finally {
    signal.removeEventListener("abort", wake);
    ended.abort();
  }
}

function logged({ logs }: Reached, pod: string, follow: boolean, signal: AbortSignal): Passed {
  const said = [...logs].find(([key]) => key.startsWith(`${pod}/`))?.[1] ?? "";
  return stream(
    "text/plain",
    (async function* (): AsyncGenerator<Uint8Array, void> {
      yield Buffer.from(said);
      if (!follow) return;
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      throw new KubeFault("unavailable", "the answer: it broke off");
    })(),
  );
}

async function* once(said: string): AsyncGenerator<Uint8Array, void> {
  yield Buffer.from(said);
}
const stream = (type: string, body: AsyncIterable<Uint8Array>): Passed => ({
  status: 200,
  headers: { "content-type": type, "audit-id": "audit", "x-kubernetes-pf-flowschema-uid": "flow" },
  body,
});
const json = (code: number, value: unknown): Passed => ({
  ...stream("application/json", once(JSON.stringify(value))),
  status: code,
});
const text = (code: number, said: string): Passed => ({
  ...stream("text/plain; charset=utf-8", once(said)),
  status: code,
});
/** A failure as Kubernetes says it. */
export const status = (code: number, reason: string, message: string): Passed =>
  json(code, { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, reason, code });
