// Which function a path of the API belongs to. The router in the cloud, the local server and the tests all ask here.

/** The functions that speak HTTP: `access` is the one that also speaks to Kubernetes. */
export type Door = "api" | "access";

/** Prefixes in whole segments, as the cloud's router takes them: the longest that fits wins. */
export const prefixes: Readonly<Record<string, Door>> = {
  "/v1": "api",
  "/oidc": "api",
  "/v1/kube": "access",
  "/v1/home/hosts": "access",
};

/** The door of a path (without query); `api` for what no prefix fits, as it says that there is no such page. */
export function doorOf(path: string): Door {
  const fitting = Object.entries(prefixes).filter(([prefix]) => path === prefix || path.startsWith(`${prefix}/`));
  const [longest] = fitting.sort(([a], [b]) => b.length - a.length);
  return longest?.[1] ?? "api";
}
