import { Fault } from "../error.ts";

/** What a request to a cluster's API server asks for, as that server itself would read its path. */
export interface Place {
  /** As it is sent: with nothing encoded but what must be, and without its query. */
  path: string;
  /** Left out for what is no resource, such as `/version` and discovery. */
  resource?: {
    /** Empty for the core group. */
    group: string;
    version: string;
    plural: string;
    namespace?: string;
    name?: string;
    subresource?: string;
  };
}

const roots = new Set(["api", "apis", "openapi", "version", "healthz", "livez", "readyz"]);
/** They would turn the connection into one to a Pod, a node or a Service, where nothing of this holds any more. */
const connecting = new Set(["exec", "attach", "portforward", "proxy"]);
/** Of a namespace itself; whatever else follows its name is a set of things in it. */
const ofNamespaces = new Set(["status", "finalize"]);
const bytesMax = 4_096;

const refuse = (message: string, detail = "The path is none of a cluster's API."): Fault =>
  new Fault("invalid", detail, { errors: [{ field: "path", message }] });

/**
 * Reads the rest of a path behind `/v1/kube/{id}`. What a server could read otherwise than we do is refused: dots,
 * empty parts, backslashes, encoded slashes and dots, and whatever is no printable ASCII.
 * @param raw as it came over the wire, beginning with `/`.
 * @throws Fault `invalid`, with what is wrong in it; for what opens a connection, with where to go instead.
 */
export function placeOf(raw: string): Place {
  if (raw.length > bytesMax) throw refuse(`must have ${bytesMax} characters at most`);
  const [first, ...segments] = raw.split("/");
  if (first !== "" || segments.length === 0) throw refuse("must begin with a slash");
  const parts = segments.map(decoded);
  const [root = "", ...rest] = parts;
  if (!roots.has(root)) throw refuse(`must begin with one of ${[...roots].map((each) => `/${each}`).join(", ")}`);
  const path = `/${parts.map((part) => encodeURIComponent(part).replaceAll("%3A", ":")).join("/")}`;
  // `/api/v1/…` is the core group, which has no name; `/apis/<group>/<version>/…` are all others.
  const [group, version, ...of] = root === "api" ? ["", ...rest] : rest;
  if ((root !== "api" && root !== "apis") || group === undefined || version === undefined || of.length === 0) {
    return { path };
  }
  return { path, resource: { group, version, ...resourceIn(of) } };
}

function decoded(segment: string): string {
  if (segment === "" || segment === "." || segment === "..") throw refuse("must have no empty part and none of dots");
  const text = segment.replaceAll(/%[0-9a-f]{2}/gi, (code) => {
    const sign = String.fromCharCode(Number.parseInt(code.slice(1), 16));
    if (!/[\x21-\x7e]/.test(sign) || "/\\%.?#".includes(sign)) throw refuse(`must not have ${code} in it`);
    return sign;
  });
  if (!/^[\x21-\x7e]+$/.test(text) || /[\\%?#]/.test(text)) {
    throw refuse("must be of printable ASCII, without \\, ? and # and with no half encoded sign");
  }
  return text;
}

function resourceIn(parts: string[]): Omit<NonNullable<Place["resource"]>, "group" | "version"> {
  const [first = "", second, third] = parts;
  if (first === "watch" || first === "proxy") throw refuse(`must not have the old form /${first}/: say ?watch=true`);
  const inside = first === "namespaces" && third !== undefined && !ofNamespaces.has(third);
  const [plural = "", name, subresource, ...more] = inside ? parts.slice(2) : parts;
  const namespace = first === "namespaces" ? second : undefined;
  if (subresource !== undefined && connecting.has(subresource)) throw connection();
  if (more.length > 0) throw refuse("must end with the subresource");
  return {
    plural,
    ...(namespace !== undefined && { namespace }),
    ...(name !== undefined && { name }),
    ...(subresource !== undefined && { subresource }),
  };
}

/** For whoever asks for a connection: by its path or by its headers. */
export const connection = (): Fault =>
  refuse(
    "must ask for no connection (exec, attach, portforward, proxy, upgrades)",
    "Shells, attach, port-forward and proxies don't go this way: use kubectl with a kubeconfig of the cluster.",
  );
