import type { RequestContext } from "@kubernetes/client-node";
import type { Asked, Passed, Target } from "../context.ts";
import { faultOf, silenceOf } from "./fault.ts";

/** One request. `what` names it in faults; `secret` keeps the server's words out of them. */
export interface Call {
  what: string;
  method: "GET" | "POST" | "PATCH" | "DELETE";
  /** With its query. */
  path: string;
  body?: unknown;
  /** Of the body; JSON when left out. */
  type?: string;
  /** What may come back; JSON when left out. */
  accept?: string;
  secret?: boolean;
  signal: AbortSignal;
}

type Dispatcher = NonNullable<ReturnType<RequestContext["getDispatcher"]>>;
type Answer = Awaited<ReturnType<Dispatcher["request"]>>;
type Body = Answer["body"];
interface Connection {
  dispatcher: Dispatcher;
  headers: Record<string, string>;
  /** How many requests or bodies are under way. */
  busy: number;
  /** Gets no more requests, and ends with the last one under way. */
  retired: boolean;
}

/** The way to one server as one user: connections are kept alive and shared by all calls. */
export interface Wire {
  /** The body of a success. @throws KubeFault */
  send(call: Call): Promise<Body>;
  /** Any answer, as it comes. @throws KubeFault `unavailable` */
  pass(asked: Asked): Promise<Passed>;
}

/** What says who asks. It is the wire's own to say. */
const identity = /^(authorization|proxy-authorization|impersonate-.*|x-remote-.*)$/;

/**
 * Opens a way. Nothing is loaded or connected before the first call.
 * Client-node's own calls make a new agent, so a new TLS connection, for each request, and pass over response headers.
 * So its KubeConfig is asked once for the agent and the headers, and requests go through that agent.
 */
export function openWire(target: Target): Wire {
  const origin = new URL(target.server).origin;
  let opening: Promise<Connection> | undefined;

  const ask = async (call: Pick<Asked, "method" | "path" | "signal">, sent: Sent): Promise<Answer> => {
    const connection = await (opening ??= connect(target));
    const asked = connection.dispatcher.request({
      origin,
      path: call.path,
      method: call.method,
      headers: { ...connection.headers, ...sent.headers },
      body: sent.body,
      signal: call.signal,
      // The signal bounds every call; a quiet watch must not end sooner.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
    connection.busy += 1;
    try {
      const answer = await unlessAborted(asked, call.signal);
      answer.body.once("close", () => release(connection));
      return answer;
    } catch (error) {
      // Whoever comes next would wait behind the same silence, be it a connection that hangs or one that died.
      if (isTimeout(call.signal) && !connection.retired) {
        connection.retired = true;
        opening = undefined;
      }
      release(connection);
      throw error;
    }
  };

  return {
    async send(call) {
      try {
        const { statusCode, headers, body } = await ask(call, sentOf(call));
        if (statusCode >= 200 && statusCode < 300) return body;
        const retryAfter = headers["retry-after"];
        const refusal = {
          status: statusCode,
          retryAfter: typeof retryAfter === "string" ? retryAfter : undefined,
          text: await body.text(),
        };
        throw faultOf(call.what, refusal, call.secret ?? false);
      } catch (error) {
        throw silenceOf(call.what, error, call.signal.aborted);
      }
    },
    async pass({ method, path, headers, body, signal }) {
      try {
        const own = Object.fromEntries(Object.entries(headers).filter(([name]) => !identity.test(name)));
        const answer = await ask({ method, path, signal }, { headers: own, body: body ?? null });
        return { status: answer.statusCode, headers: flat(answer.headers), body: unbroken(answer.body, signal) };
      } catch (error) {
        throw silenceOf(method, error, signal.aborted);
      }
    },
  };
}

/** What one request sends beside what each of the connection's does. */
interface Sent {
  headers: Record<string, string>;
  body: string | Uint8Array | null;
}

const sentOf = ({ accept, body, type = "application/json" }: Call): Sent => ({
  headers: { ...(accept !== undefined && { accept }), ...(body !== undefined && { "content-type": type }) },
  body: body === undefined ? null : JSON.stringify(body),
});

const flat = (headers: Answer["headers"]): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      value === undefined ? [] : [[name.toLowerCase(), Array.isArray(value) ? value.join(", ") : value]],
    ),
  );

/** A body that tells by our own fault that it broke off. Who stops reading ends the request. */
async function* unbroken(body: Body, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  try {
    for await (const piece of body) yield piece as Uint8Array;
  } catch (error) {
    throw silenceOf("the answer", error, signal.aborted);
  } finally {
    body.destroy();
  }
}

function release(connection: Connection): void {
  connection.busy -= 1;
  // What it was still waiting for has been given up by its caller, so nobody hears how it ends.
  if (connection.retired && connection.busy === 0) connection.dispatcher.destroy().catch(() => undefined);
}

const isTimeout = ({ aborted, reason }: AbortSignal): boolean =>
  aborted && reason instanceof DOMException && reason.name === "TimeoutError";

// The agent does not look at the signal before it is connected, which may take it 10 s. What was given up is not sent.
async function unlessAborted<T>(asked: Promise<T>, signal: AbortSignal): Promise<T> {
  let end = (): void => undefined;
  const aborted = new Promise<never>((_, reject) => {
    end = () => reject(new Error("given up", { cause: signal.reason }));
  });
  signal.addEventListener("abort", end, { once: true });
  if (signal.aborted) end();
  try {
    return await Promise.race([asked, aborted]);
  } finally {
    signal.removeEventListener("abort", end);
  }
}

async function connect({ server, authority, serverName, user }: Target): Promise<Connection> {
  const { HttpMethod, KubeConfig, RequestContext } = await import("@kubernetes/client-node");
  const name = "berth";
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [
      {
        name,
        server,
        caData: base64(authority),
        skipTLSVerify: false,
        ...(serverName === undefined ? {} : { tlsServerName: serverName }),
      },
    ],
    users: [
      "token" in user
        ? { name, token: user.token }
        : { name, certData: base64(user.certificate), keyData: base64(user.key) },
    ],
    contexts: [{ name, cluster: name, user: name }],
    currentContext: name,
  });
  const request = new RequestContext(server, HttpMethod.GET);
  await config.applySecurityAuthentication(request);
  const dispatcher = request.getDispatcher();
  if (dispatcher === undefined) throw new Error("the target names no authority");
  const headers = { ...request.getHeaders(), accept: "application/json" };
  return { dispatcher, headers, busy: 0, retired: false };
}

const base64 = (text: string): string => Buffer.from(text).toString("base64");
