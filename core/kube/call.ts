import { KubeFault, type Found, type Kube, type Manifest, type Query, type Ref } from "../context.ts";
import { silenceOf } from "./fault.ts";
import { collectionPath, objectPath } from "./kinds.ts";
import type { Call } from "./wire.ts";

/** A page of a list as it comes. */
export interface Listed {
  metadata: { resourceVersion: string; continue?: string };
  /** Null for none, where metadata alone was asked for. */
  items: Found[] | null;
}

/** What an object is called where it stands. */
export const refOf = ({ apiVersion, kind, metadata: { name, namespace } }: Manifest): Ref => ({
  apiVersion,
  kind,
  name,
  ...(namespace === undefined ? {} : { namespace }),
});

/** How a call is named in faults, and whether what is said about it may be told. */
export function about(verb: string, on: Query | Ref): { what: string; secret: boolean } {
  const name = [on.namespace, "name" in on ? on.name : undefined].filter((part) => part !== undefined).join("/");
  return { what: `${verb} ${on.kind} ${name}`.trimEnd(), secret: on.kind === "Secret" };
}

export function queryPath(query: Query, rest: Record<string, string>): string {
  const labels = Object.entries(query.labels ?? {}).map(([key, value]) => `${key}=${value}`);
  const search = new URLSearchParams(rest);
  if (labels.length > 0) search.set("labelSelector", labels.join(","));
  return `${collectionPath(query)}?${search.toString()}`;
}

/** What a server says of an object: its metadata alone when no more was asked for, which is written `as` a kind of its own. */
export const metadataOf = ({ metadata }: Query, as: string): Pick<Call, "accept"> =>
  metadata === true ? { accept: `application/json;as=${as};g=meta.k8s.io;v=v1` } : {};

/** Items of a list don't say what they are, and metadata alone says that it is metadata. */
export const named = (found: Found, { apiVersion, kind }: Query): Found => ({ ...found, apiVersion, kind });

/** The path of a container's log. The server counts `lines` from the end, and cuts what is over `bytes` off that end. */
export function logPath(
  { name, namespace, container }: Parameters<Kube["logs"]>[0],
  { lines, bytes, since, previous }: Parameters<Kube["logs"]>[1],
): string {
  const search = new URLSearchParams({
    container,
    timestamps: "true",
    tailLines: String(lines),
    limitBytes: String(bytes),
    ...(since === undefined ? {} : { sinceTime: since }),
    ...(previous === true ? { previous: "true" } : {}),
  });
  return `${objectPath({ apiVersion: "v1", kind: "Pod", name, namespace })}/log?${search.toString()}`;
}

export const textOf = async (body: { text(): Promise<string> }, what: string, signal: AbortSignal): Promise<string> =>
  await body.text().catch((error: unknown) => {
    throw silenceOf(what, error, signal.aborted);
  });

export async function parsed<T>(body: { text(): Promise<string> }, what: string, signal: AbortSignal): Promise<T> {
  const text = await textOf(body, what, signal);
  try {
    return JSON.parse(text) as T;
  } catch {
    // The parser's error quotes the text, which may hold a secret: it is not kept as the cause.
    throw new KubeFault("unavailable", `${what}: an answer that is no JSON`);
  }
}

/** Undefined when the object is not there. */
export async function unlessMissing<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof KubeFault && error.kind === "missing") return undefined;
    throw error;
  }
}
