/** One request by which somebody might become somebody else, or get at what is nobody's but an owner's. */
export interface Try {
  what: string;
  method: string;
  path: string;
  body?: unknown;
  headers?: Record<string, string>;
  /** In a project's namespace: of who owns that namespace alone, this is its own business. */
  inside?: true;
}

export const get = (what: string, path: string, headers?: Record<string, string>): Try => ({
  what,
  method: "GET",
  path,
  ...(headers && { headers }),
});
export const post = (what: string, path: string, body?: unknown): Try => ({ what, method: "POST", path, body });
export const put = (what: string, path: string, body: unknown): Try => ({ what, method: "PUT", path, body });
export const patch = (what: string, path: string, body: unknown): Try => ({ what, method: "PATCH", path, body });
export const drop = (what: string, path: string): Try => ({ what, method: "DELETE", path });
export const inside = (one: Try): Try => ({ ...one, inside: true });

export const core = "/api/v1";
export const api = (group: string): string => `/apis/${group}/v1`;
export const rbac = api("rbac.authorization.k8s.io");
export const members = `${core}/namespaces/berth-members`;
export const system = `${core}/namespaces/kube-system`;
export const named = (name: string, rest: object = {}) => ({ metadata: { name }, ...rest });
