import { allow } from "../allow.ts";
import { type Asked, KubeFault, type Passed, type Review, type Work } from "../context.ts";
import { Fault } from "../error.ts";
import type { ID } from "../id.ts";
import * as Project from "../project/index.ts";
import { type Ask, askOf } from "./ask.ts";
import { forget, kubeFor } from "./own.ts";
import { type Place, placeOf } from "./path.ts";
import { noted } from "./record.ts";
import { accessKind, accessOf } from "./schema.ts";
import { bounded, idleSeconds } from "./stream.ts";

/** A request to a cluster's API server, as it came. */
export interface Request {
  method: Asked["method"];
  /** What follows `/v1/kube/{id}`, undecoded, with its slash and without its query. */
  path: string;
  /** Without the question mark. */
  query: string;
  headers: Headers;
  body: Uint8Array | undefined;
  /** Aborts when the caller has gone. */
  signal: AbortSignal;
  /** Throws when the caller may no more. */
  still: () => Promise<void>;
}

/** Its answer: whole, or as it comes. */
export interface Response {
  status: number;
  headers: Record<string, string>;
  body: Uint8Array | AsyncIterable<Uint8Array>;
}

/** Of a request that is no stream, with its answer. */
const timeoutSeconds = 25;
const requestBytesMax = 3 * 1024 * 1024;
const answerBytesMax = 6 * 1024 * 1024;
const answered = ["content-type", "etag", "retry-after", "warning", "audit-id"];
/** What no browser takes for a page or a program of ours. */
const types =
  /^(application\/(json|yaml|vnd\.kubernetes\.protobuf|com\.github\.proto-openapi\.spec\.v[23][.@]v1\.0\+protobuf)|text\/plain)\s*(;|$)/i;

/**
 * One request to a cluster's API server as the caller's own account there: the cluster decides what it may, by its own
 * RBAC, and its refusals are answers like any others.
 * @throws Fault `invalid` for what is not passed on (see `placeOf`, `askOf`); `forbidden` for what a bound token does not
 * reach; `large`; `unavailable` while the cluster does not answer, and for an answer of a type that is not passed on.
 */
export async function proxy(ctx: Work, id: ID<"cluster">, request: Request): Promise<Response> {
  allow(ctx, "cluster:access", "some");
  const place = placeOf(request.path);
  const ask = askOf(place, request);
  await reached(ctx, id, place, ask);
  if ((request.body?.byteLength ?? 0) > requestBytesMax) throw new Fault("large", "The body may have 3 MB at most.");
  const stop = new AbortController();
  const end = (): void => stop.abort();
  request.signal.addEventListener("abort", end, { once: true });
  if (request.signal.aborted) end();
  const answeredInTime = timer(ctx, ask.stream ? idleSeconds : timeoutSeconds, stop);
  try {
    const passed = await sent(ctx, id, { request, ask, place, stop });
    const type = passed.headers["content-type"] ?? "";
    if (passed.status !== 304 && passed.status !== 204 && !types.test(type)) {
      stop.abort();
      throw new Fault("unavailable", "The cluster answered with a type that is not passed on.");
    }
    const headers = Object.fromEntries(
      answered.flatMap((name) => (passed.headers[name] === undefined ? [] : [[name, passed.headers[name]]])),
    );
    const { status, body } = passed;
    if (!ask.stream || status !== 200) return { status, headers, body: await whole(body, stop) };
    answeredInTime();
    const still = async (): Promise<void> => {
      await request.still();
      await mayStill(ctx, id, ask, place);
    };
    return { status, headers, body: bounded(ctx, body, { still, stop }) };
  } catch (error) {
    stop.abort();
    if (!(error instanceof KubeFault)) throw error;
    // It may be another one's place by now, or gone: the next request looks.
    forget(ctx, id);
    const why = error.kind === "unauthorized" ? "does not take your token now" : "does not answer";
    throw new Fault("unavailable", `The cluster ${why}.`, { cause: error, retryAfterSeconds: 2 });
  } finally {
    answeredInTime();
  }
}

/** What a token is bound to, as far as the path tells: a cluster, and the namespaces of projects. */
async function reached(ctx: Work, id: ID<"cluster">, { resource }: Place, { writes }: Ask): Promise<void> {
  const bounds = ctx.actor.within;
  if (bounds?.clusters !== undefined && !bounds.clusters.includes(id)) {
    throw new Fault("forbidden", "This token is bound to other clusters.");
  }
  if (bounds?.projects === undefined || (resource === undefined && !writes)) return;
  const [rows, row] = await Promise.all([
    ctx.table.getAll(bounds.projects.map((each) => [Project.projectKind, each] as const)),
    ctx.table.get(accessKind, accessOf(id)),
  ]);
  const names = rows.flatMap((project) => {
    const place = project?.places.find(({ cluster }) => cluster === id);
    const gone = project?.deletedAt !== undefined || place === undefined || place.leavingAt !== undefined;
    // Until it was seen to be the project's, a namespace of that name may be anybody's; an owner reaches those too.
    const seen = project && row?.status.projects[project.id]?.state;
    return project === undefined || gone || seen === undefined || seen === "Taken" ? [] : [project.name];
  });
  const own = resource?.plural === "namespaces" && writes;
  if (resource?.namespace !== undefined && names.includes(resource.namespace) && !own) return;
  throw new Fault("forbidden", "This token is bound to projects: here it reaches their namespaces alone.");
}

interface Sending {
  request: Request;
  ask: Ask;
  place: Place;
  stop: AbortController;
}

async function sent(ctx: Work, id: ID<"cluster">, sending: Sending): Promise<Passed> {
  const { ask, request, place, stop } = sending;
  for (let first = true; ; first = false) {
    const kube = await kubeFor(ctx, id);
    if (first) await noted(ctx, id, ask, place);
    const { method, body } = request;
    const asked = { method, path: ask.path, headers: { "user-agent": "berth", ...ask.headers }, signal: stop.signal };
    const passed = await kube.pass({ ...asked, ...(body !== undefined && { body }) });
    if (passed.status !== 401) return passed;
    // Its token's Secret was deleted, which says nothing of who asks now: they proved themselves to us.
    await whole(passed.body, stop);
    forget(ctx, id);
    if (!first) throw new KubeFault("unauthorized", "the member's own token: 401", { status: 401 });
  }
}

/** Ends the request, and what of its answer is still to come, unless it is told in time that it need not. */
function timer(ctx: Work, seconds: number, stop: AbortController): () => void {
  const done = new AbortController();
  void ctx.sleep(seconds * 1_000, AbortSignal.any([done.signal, stop.signal])).then(() => {
    if (!done.signal.aborted) stop.abort();
  });
  return () => done.abort();
}

async function whole(body: AsyncIterable<Uint8Array>, stop: AbortController): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of body) {
    bytes += piece.byteLength;
    if (bytes > answerBytesMax) {
      stop.abort();
      throw new Fault("large", "The answer has more than 6 MB: ask for fewer at once, with limit and continue.");
    }
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** A server asks who may watch when it begins, and never again; so it is asked again here. @throws Fault `forbidden` */
async function mayStill(ctx: Work, id: ID<"cluster">, { verb }: Ask, { resource }: Place): Promise<void> {
  if (resource === undefined) return;
  const { group, version, plural, namespace = "", name = "", subresource = "" } = resource;
  const resourceAttributes = { verb, group, version, resource: plural, subresource, namespace, name };
  const review = {
    apiVersion: "authorization.k8s.io/v1",
    kind: "SelfSubjectAccessReview",
    spec: { resourceAttributes },
  };
  // A stream outlives the token that it began with, so it is asked with whichever is kept now.
  const ask = async (): Promise<Review> => (await kubeFor(ctx, id)).review(review);
  const { status } = await ask().catch(async (error: unknown) => {
    if (!(error instanceof KubeFault) || error.kind !== "unauthorized") throw error;
    forget(ctx, id);
    return await ask();
  });
  if ((status as { allowed?: boolean } | undefined)?.allowed !== true) {
    throw new Fault("forbidden", "You have no right to it any more.");
  }
}
