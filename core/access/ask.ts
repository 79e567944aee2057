import { Fault } from "../error.ts";
import { connection, type Place } from "./path.ts";

/** A request that is checked, as it goes to the cluster. */
export interface Ask {
  /** Kubernetes' own verb, for what is a resource; else the method in lower case. */
  verb: string;
  /** With its query. */
  path: string;
  headers: Record<string, string>;
  /** What comes as it happens, for as long as it may. */
  stream: boolean;
  /** It changes something, as far as its verb tells. */
  writes: boolean;
}

/** How long a stream may be, in seconds: the functions' platform ends them all after 15 minutes, and not as softly. */
export const streamSeconds = 840;
const pageSize = 500;
const logBytes = 5 * 1024 * 1024;
/** Read here, so each may be there once only: of several it is not sure which one a server takes. */
const single = ["watch", "follow", "limit", "limitBytes", "timeoutSeconds", "timeout"];
/** Kept of what came; no other header reaches a cluster. */
const kept = ["accept", "content-type", "if-none-match"];
const self = /^selfsubject\w*reviews$/;

/**
 * @param query as it came, without the question mark.
 * @throws Fault `invalid` for what opens a connection and for fields that are said twice or wrongly; `media` for a body
 * that is packed.
 */
export function askOf(
  { path, resource }: Place,
  { method, query, headers }: { method: string; query: string; headers: Headers },
): Ask {
  if (opens(headers)) throw connection();
  const packed = headers.get("content-encoding");
  if (packed !== null && packed !== "identity") throw new Fault("media", "The body must not be packed.");
  const search = new URLSearchParams(query);
  for (const field of single) {
    if (search.getAll(field).length > 1) throw wrong(field, "must be there once at most");
  }
  const reads = method === "GET";
  const watches = resource !== undefined && reads && flag(search, "watch");
  const logs = resource?.plural === "pods" && resource.subresource === "log" && reads;
  const follows = logs && flag(search, "follow");
  // The server would hold the request for so long; how long it may take is said here.
  search.delete("timeout");
  const seconds = count(search, "timeoutSeconds");
  if (watches) search.set("timeoutSeconds", String(Math.min(seconds || streamSeconds, streamSeconds)));
  else search.delete("timeoutSeconds");
  if (resource !== undefined && reads && !watches && resource.name === undefined) {
    const limit = count(search, "limit");
    search.set("limit", String(Math.min(limit || pageSize, pageSize)));
  }
  if (logs && !follows) search.set("limitBytes", String(Math.min(count(search, "limitBytes") || logBytes, logBytes)));
  const verb = watches ? "watch" : verbOf(method, resource);
  return {
    verb,
    path: search.size === 0 ? path : `${path}?${search.toString()}`,
    headers: Object.fromEntries(
      kept.flatMap((name) => {
        const value = headers.get(name);
        return value === null ? [] : [[name, value]];
      }),
    ),
    stream: watches || follows,
    writes: !reads && !(resource !== undefined && self.test(resource.plural)),
  };
}

function opens(headers: Headers): boolean {
  const connection = (headers.get("connection") ?? "").toLowerCase();
  const names = [...headers.keys()];
  return (
    headers.has("upgrade") || /\bupgrade\b/.test(connection) || names.some((name) => name.startsWith("sec-websocket-"))
  );
}

function verbOf(method: string, resource: Place["resource"]): string {
  if (resource === undefined) return method.toLowerCase();
  const one = resource.name !== undefined;
  const verbs: Record<string, string> = {
    GET: one ? "get" : "list",
    POST: "create",
    PUT: "update",
    PATCH: "patch",
    DELETE: one ? "delete" : "deletecollection",
  };
  return verbs[method] ?? method.toLowerCase();
}

/** Said in one way, so that no server reads it in another. */
function flag(search: URLSearchParams, field: string): boolean {
  const text = search.get(field);
  if (text === null || text === "false" || text === "0") {
    search.delete(field);
    return false;
  }
  if (text !== "true" && text !== "1") throw wrong(field, "must be true or false");
  search.set(field, "true");
  return true;
}

/** A whole number; 0 when it is not there, as servers take that for no bound. */
function count(search: URLSearchParams, field: string): number {
  const text = search.get(field);
  if (text === null) return 0;
  if (!/^\d{1,10}$/.test(text)) throw wrong(field, "must be a whole number");
  return Number(text);
}

const wrong = (field: string, message: string): Fault =>
  new Fault("invalid", "One field of the query is wrong.", { errors: [{ field, message }] });
