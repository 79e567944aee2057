// Requests that may be sent twice: a key that the caller chose makes the second one tell what the first one did.
import { createHash } from "node:crypto";
import type { Context as Request, Next } from "hono";
import { Fault } from "#core/error.ts";
import { keyed, Met, type Once, onceKind } from "#core/once.ts";
import { stackOf } from "../log.ts";
import type { Env } from "./env.ts";

/** What a route says of itself, as far as its repeats go. */
export interface Repeatable {
  operationId: string;
  /** As declared, such as `/v1/clusters/{id}`. */
  path: string;
  /** The status of its success. */
  status: number;
  /** Its answer holds what is shown once. */
  secret: boolean;
  /** Of what takes several writes, the verb of the last one's audit entry. */
  last?: string | undefined;
}

export const header = "Idempotency-Key";
const bodyBytesMax = 32 * 1024;
/** What one meets whose twin was quicker, and ended before this one came to write. */
const overtaken: readonly string[] = ["missing", "conflict", "stale"];
/** How long a repeat waits for the answer that the first one is about to give. */
const waits = { times: 8, ms: 125 };

/** Runs the route once per key and member; a repeat within 24 h gets the first answer. */
export async function once(c: Request<Env>, next: Next, route: Repeatable): Promise<Response | void> {
  const key = c.req.header(header);
  if (key === undefined || c.req.method === "GET" || c.req.method === "HEAD") return await next();
  if (!/^[\x20-\x7e]{1,255}$/.test(key)) {
    const errors = [{ field: header, message: "must be 1 to 255 printable ASCII characters" }];
    throw new Fault("invalid", "The idempotency key is not one.", { errors });
  }
  const { ctx } = c.var;
  const id = `${ctx.actor.member}/${route.operationId}/${key}`;
  const hash = await hashOf(c);
  const before = await ctx.table.get(onceKind, id);
  if (before !== undefined) return await replay(c, id, before, { ...route, hash });
  const bound = keyed(ctx, { id, hash, secret: route.secret, last: route.last });
  c.set("ctx", bound.ctx);
  await next();
  const late = bound.target() === undefined && c.error instanceof Fault && overtaken.includes(c.error.kind);
  if (c.error instanceof Met || late) {
    const other = await ctx.table.get(onceKind, id);
    if (other === undefined) {
      if (c.error instanceof Met) throw c.error;
      return;
    }
    // The refusal is not the answer, and an answer that is given takes headers over from the one before.
    c.res = undefined;
    c.res = await replay(c, id, other, { ...route, hash });
    return;
  }
  if (bound.target() !== undefined && c.res.ok && !route.secret) await keep(c, id);
}

/**
 * The same bytes to the same place are the same request, by tokens that are bound alike: the verb would have refused one
 * that is bound elsewhere, which must not be told what another was.
 */
async function hashOf(c: Request<Env>): Promise<string> {
  const { pathname, search } = new URL(c.req.url);
  const said = createHash("sha256").update(`${c.req.method}\n${pathname}\n${search}\n`);
  const { within } = c.var.ctx.actor;
  if (within !== undefined) said.update(`${JSON.stringify([within.clusters ?? null, within.projects ?? null])}\n`);
  // As bytes: what goes on into a cluster need not be a text, and read as one it would be another.
  return said.update(new Uint8Array(await c.req.arrayBuffer())).digest("base64url");
}

/** Without it, a repeat is told what the target is then, which is as true. So its loss must not spoil the answer. */
async function keep(c: Request<Env>, id: string): Promise<void> {
  const { table, log } = c.var.ctx;
  try {
    const body = await c.res.clone().text();
    if (Buffer.byteLength(body) > bodyBytesMax) return;
    const headers = Object.fromEntries(
      ["content-type", "etag", "location"].flatMap((name) => {
        const value = c.res.headers.get(name);
        return value === null ? [] : [[name, value]];
      }),
    );
    await table.edit(onceKind, id, { set: { status: c.res.status, body, headers } });
  } catch (error) {
    log.warn("an answer was not kept for its repeats", { stack: stackOf(error) });
  }
}

async function replay(
  c: Request<Env>,
  id: string,
  first: Once,
  route: Repeatable & { hash: string },
): Promise<Response> {
  if (first.hash !== route.hash) {
    throw new Fault("reused", "This idempotency key was used before, for another request.");
  }
  if (first.shown === true) {
    const message = `The request was carried out, and its answer was already shown: it is about ${first.target}.`;
    throw new Fault("conflict", message);
  }
  const { ctx, deps } = c.var;
  let kept: Once | undefined = first;
  for (let tries = 0; kept?.body === undefined && tries < waits.times; tries++) {
    await deps.sleep(waits.ms);
    kept = await ctx.table.get(onceKind, id);
  }
  const replayed = { "idempotency-replayed": "true" };
  if (kept?.body !== undefined) {
    // An empty text is a body too, which a 204 must not have.
    const body = kept.body === "" ? null : kept.body;
    return c.newResponse(body, (kept.status ?? route.status) as 200, { ...kept.headers, ...replayed });
  }
  // The first one ended between its commit and its answer. What it did is there to be seen.
  const lost = (): Fault => {
    const why = "its answer was lost, and what it was about can't be shown now";
    return new Fault("conflict", `The request was carried out, but ${why}: ${first.target}.`);
  };
  // An act on a thing answers in a form of its own, which a look at the thing does not have.
  if (/\{id\}./.test(route.path)) throw lost();
  const answer = await c.var.again(placeOf(c, route.path, first.target), {
    headers: { Authorization: c.req.header("Authorization") ?? "" },
  });
  if (answer.status === 429 || answer.status >= 500) {
    const message = "The request was carried out; what it did can't be told now.";
    throw new Fault("unavailable", message, { retryAfterSeconds: 2 });
  }
  if (!answer.ok) throw lost();
  const etag = answer.headers.get("etag");
  return c.newResponse(await answer.text(), route.status as 200, {
    "content-type": answer.headers.get("content-type") ?? "application/json",
    ...(etag !== null && { etag }),
    ...replayed,
  });
}

/** Where the thing is read that a route is about: its own place, or, of a list that it adds to, one further down. */
function placeOf(c: Request<Env>, path: string, target: string): string {
  const at = path.split("/").indexOf("{id}");
  return at < 0
    ? `${c.req.path}/${target}`
    : c.req.path
        .split("/")
        .slice(0, at + 1)
        .join("/");
}
