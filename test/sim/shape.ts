import type { Cluster } from "#core/cluster/schema.ts";
import type { Found } from "#core/context.ts";
import { kubeName } from "#core/id.ts";
import type { Ground } from "./ground.ts";

/** What of a cluster stands on its host and inside of it, by place, with all that differs from cluster to cluster taken out. */
export function shapeOf({ world }: Ground, { id, placement }: Cluster) {
  const name = kubeName(id);
  const host = world.on(placement).objects.all();
  const around = host.filter(
    ({ kind, metadata }) => metadata.namespace === name || (kind === "Namespace" && metadata.name === name),
  );
  const inside = (): Found[] => {
    try {
      const { objects } = world.inside(placement, id);
      return objects.all().filter(({ metadata }) => metadata.labels?.["berth.dev/cluster"] === name);
    } catch {
      return [];
    }
  };
  const shape = new Map<string, string>([
    ...around.map((found) => [`host ${placeOf(found, name)}`, said(found, name)] as const),
    ...inside().map((found) => [`inside ${placeOf(found, name)}`, said(found, name)] as const),
  ]);
  return {
    shape,
    /** The first place where it is not as wished. Accounts are of members, so those are compared by kind alone. */
    difference(wished: ReadonlyMap<string, string>): string | undefined {
      for (const [place, text] of wished)
        if (shape.get(place) !== text) return `${place} is ${apart(text, shape.get(place))}`;
      const extra = [...shape.keys()].find((place) => !wished.has(place) && !/mbr|member/.test(place));
      return extra === undefined ? undefined : `${extra} is one too many`;
    },
  };
}

const placeOf = ({ kind, metadata }: Found, name: string): string =>
  `${kind} ${metadata.namespace ?? ""}/${metadata.name}`.replaceAll(name, "it");

/** Secrets differ in each cluster, and status is not ours. */
function said({ kind, metadata, status: _, apiVersion, ...rest }: Found, name: string): string {
  const { labels, deletionTimestamp } = metadata;
  const content = kind === "Secret" ? Object.keys((rest["data"] as object | undefined) ?? {}).sort() : rest;
  return JSON.stringify(sorted([labels ?? {}, deletionTimestamp !== undefined, content]))
    .replaceAll(name, "it")
    .replaceAll(/(tnt|mbr)[-_][0-9a-z]{26}/g, "$1")
    .replaceAll(/10\.96\.0\.\d+/g, "ip")
    .replaceAll(/\b3\d{4}\b/g, "port")
    .replaceAll(/192\.0\.2\.\d+/g, "host")
    .replaceAll(/\b[0-9a-f]{16}\b/g, "mark")
    .replaceAll(/[\w+/=-]{22,}/g, "mark");
}

/** In which order fields were once written tells nothing. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).map(([name, each]) => [name, sorted(each)] as const);
  return Object.fromEntries(fields.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The words around the first difference. */
export function apart(wished: string, found: string | undefined): string {
  if (found === undefined) return "missing";
  let at = 0;
  while (at < wished.length && wished[at] === found[at]) at += 1;
  const around = (text: string): string => text.slice(Math.max(0, at - 40), at + 60);
  return `another: …${around(found)}… and not …${around(wished)}…`;
}
