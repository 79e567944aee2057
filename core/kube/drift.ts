// What of all that is wanted is missing or differs.
import type { Found, Manifest } from "../context.ts";
import { covers } from "./covers.ts";

/** Objects by `Kind name` on a host, by `Kind namespace/name` inside of a cluster. */
export type Objects = ReadonlyMap<string, Found>;

/** What is to be written, and what stands in its place. */
export interface Put {
  manifest: Manifest;
  found: Found | undefined;
}

export const keyOf = (
  { kind, metadata: { name, namespace } }: Pick<Manifest, "kind" | "metadata">,
  where: "host" | "inside",
): string => (where === "host" || namespace === undefined ? `${kind} ${name}` : `${kind} ${namespace}/${name}`);

/** What is missing or differs in a field that we set. What the API server fills in is not drift. */
export function drift(wanted: Manifest[], found: Objects, where: "host" | "inside"): Put[] {
  return wanted
    .map((manifest) => ({ manifest, found: found.get(keyOf(manifest, where)) }))
    .filter((put) => put.found === undefined || !covers(put.found, put.manifest));
}

/** One that is ending can't be mended; we wait until it is gone and make it anew. */
export const ending = (puts: Put[]): Put[] =>
  puts.filter(({ found }) => found?.metadata.deletionTimestamp !== undefined);

/**
 * Where what a stranger adds changes what ours says (an empty podSelector means all Pods, a fuller one does not; what
 * is aggregated is not what was granted), and what no server lets anybody change.
 */
const whole: Record<string, string> = {
  NetworkPolicy: "spec",
  Service: "spec.selector",
  ClusterRole: "aggregationRule",
  ClusterRoleBinding: "roleRef",
  RoleBinding: "roleRef",
};
const partOf = (object: unknown, path: string): unknown =>
  path.split(".").reduce((part, name) => (part as Record<string, unknown> | undefined)?.[name], object);

/** Ours with something added where it matters. No apply takes away what is another's, so it is removed and made anew. */
export function altered(wanted: Manifest[], found: Objects, where: "host" | "inside"): Found[] {
  return wanted.flatMap((manifest): Found[] => {
    const [path, there] = [whole[manifest.kind], found.get(keyOf(manifest, where))];
    if (path === undefined || there === undefined || there.metadata.deletionTimestamp !== undefined) return [];
    // Nothing asked for is met by nothing there, and by nothing else.
    return covers(partOf(manifest, path) ?? {}, partOf(there, path)) ? [] : [there];
  });
}

/** What can be written now, wave by wave; what is ending can't, and an empty wave is none. */
export const waves = (...puts: Put[][]): Put[][] =>
  puts.map((wave) => wave.filter((one) => ending([one]).length === 0)).filter((wave) => wave.length > 0);
