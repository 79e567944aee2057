import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import { connect, createServer as createRelay, type AddressInfo, type Socket } from "node:net";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { KubeFault, type Kube, type Manifest, type Target } from "#core/context.ts";
import { newKubes, openKube } from "#core/kube/index.ts";
import { authority, leaf } from "#core/pki/index.ts";

/** A server that says what a test wants said, and what no real one says on demand. */
let server: Server;
let target: Target;
let kube: Kube;
let respond: (request: IncomingMessage, response: ServerResponse) => void;
let asked: string[];
let connections = 0;

beforeAll(async () => {
  const now = new Date().toISOString();
  const ca = await authority({ commonName: "ca", days: 1, now });
  const { certificate, key } = await leaf(ca, { commonName: "x", ips: ["127.0.0.1"], usage: "server", days: 1, now });
  server = createServer({ cert: certificate, key }, (request, response) => {
    asked.push(`${request.method} ${request.url}`);
    respond(request, response);
  });
  server.on("secureConnection", () => (connections += 1));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  target = { server: address, authority: ca.certificate, user: { token: "hunter2" } };
});
afterAll(async () => {
  const closed = once(server.close(), "close");
  server.closeAllConnections();
  await closed;
});
beforeEach(() => {
  asked = [];
  kube = openKube(target, { timeoutMs: 5_000 });
});

const says = (status: number, body: unknown, headers: Record<string, string> = {}): void => {
  respond = (_, response) => {
    response.writeHead(status, { "content-type": "application/json", ...headers });
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };
};
const status = (code: number, more: object = {}): object => ({ kind: "Status", apiVersion: "v1", code, ...more });
const faultOf = async (call: Promise<unknown>): Promise<KubeFault> => {
  const error = await call.then(
    () => new Error("it went well"),
    (thrown: unknown) => thrown,
  );
  if (error instanceof KubeFault) return error;
  throw error;
};
const ref = { apiVersion: "v1", kind: "ConfigMap", name: "one", namespace: "a" };
const query = { apiVersion: "v1", kind: "ConfigMap", namespace: "a" };
const manifest: Manifest = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "one", namespace: "a" } };

describe("an answer", () => {
  test.each([
    [400, "invalid"],
    [401, "unauthorized"],
    [403, "forbidden"],
    [405, "invalid"],
    [408, "unavailable"],
    [409, "conflict"],
    [410, "expired"],
    [413, "invalid"],
    [422, "invalid"],
    [429, "throttled"],
    [500, "unavailable"],
    [502, "unavailable"],
    [503, "unavailable"],
    [504, "unavailable"],
    [301, "unavailable"],
  ])("of %i is a fault that is %s, to any call", async (code, kind) => {
    says(code, status(code), { location: "https://127.0.0.1:1/" });
    const watch = kube.watch(query, { resourceVersion: "1", seconds: 1, signal: new AbortController().signal });
    const calls = [
      kube.get(ref),
      kube.create(manifest),
      kube.apply(manifest, "5"),
      kube.list(query),
      kube.remove(ref, { uid: "x" }),
      kube.version(),
      kube.token({ name: "ada", namespace: "a" }, { seconds: 600 }),
      watch[Symbol.asyncIterator]().next(),
    ];
    const faults = await Promise.all(calls.map(faultOf));
    expect(faults.map((fault) => [fault.kind, fault.status])).toEqual(calls.map(() => [kind, code]));
    expect(await kube.ready(1_000)).toBe(false);
  });

  test("that asks to wait says how long, in its header or its body", async () => {
    says(429, status(429), { "retry-after": "7" });
    expect(await faultOf(kube.get(ref))).toMatchObject({ kind: "throttled", retryAfterSeconds: 7 });
    says(503, status(503, { details: { retryAfterSeconds: 3 } }));
    expect(await faultOf(kube.get(ref))).toMatchObject({ kind: "unavailable", retryAfterSeconds: 3 });
    says(429, status(429), { "retry-after": "Fri, 20 Nov 2026 00:00:00 GMT" });
    expect((await faultOf(kube.get(ref))).retryAfterSeconds).toBeUndefined();
  });

  test("of 404 is of a missing object only when it names one", async () => {
    says(404, status(404, { details: { name: "one", kind: "configmaps" } }));
    expect(await kube.get(ref)).toBeUndefined();
    await kube.remove(ref, { uid: "x" });
    expect(await faultOf(kube.apply(manifest, "5"))).toMatchObject({ kind: "missing", status: 404 });
    for (const body of ["404 page not found", status(404, { details: {} })]) {
      says(404, body);
      expect(await faultOf(kube.get(ref))).toMatchObject({ kind: "unavailable", status: 404 });
      expect(await faultOf(kube.remove(ref, { uid: "x" }))).toMatchObject({ kind: "unavailable" });
    }
  });

  test("that no schema can take is invalid, though servers call it their own fault", async () => {
    says(500, status(500, { message: "failed to create typed patch object (a/one; /v1): .hunter2: no such field" }));
    const fault = await faultOf(kube.apply(manifest, "5"));
    expect(fault.kind).toBe("invalid");
    expect(fault.message).not.toContain("hunter2");
  });

  test("is unavailable when it is cut short or is no JSON, and none of it is told", async () => {
    says(200, '{"data": "hunter2');
    const garbled = await faultOf(kube.get(ref));
    expect([garbled.kind, garbled.cause]).toEqual(["unavailable", undefined]);
    respond = (_, response) => {
      response.writeHead(200, { "content-length": "100" });
      response.write("hunter2", () => response.destroy());
    };
    const fault = await faultOf(kube.get(ref));
    expect(fault.kind).toBe("unavailable");
    expect(`${fault.message} ${String(fault.cause)}`).not.toContain("hunter2");
    respond = (request) => request.socket.destroy();
    expect(await faultOf(kube.get(ref))).toMatchObject({ kind: "unavailable", status: 0 });
  });

  test("that never ends is given up when the time is over", async () => {
    const hasty = openKube(target, { timeoutMs: 200 });
    respond = (_, response) => response.writeHead(200).write("{");
    expect(await faultOf(hasty.get(ref))).toMatchObject({ kind: "unavailable", status: 0 });
    respond = () => undefined;
    expect(await faultOf(hasty.list(query))).toMatchObject({ kind: "unavailable", status: 0 });
    expect(await hasty.ready(50)).toBe(false);
  });

  test("tells its words, but never those about a Secret, of a login, or that quote values", async () => {
    const quoting = (code: number) =>
      status(code, { reason: "Why", message: "hunter2 is no good", details: { name: "x" } });
    says(403, quoting(403));
    expect((await faultOf(kube.get(ref))).message).toBe("get ConfigMap a/one: 403 Why hunter2 is no good");
    expect((await faultOf(kube.get({ ...ref, kind: "Secret" }))).message).toBe("get Secret a/one: 403 Why");
    const token = kube.token({ name: "ada", namespace: "a" }, { seconds: 600 });
    expect((await faultOf(token)).message).not.toContain("hunter2");
    for (const code of [400, 401, 422]) {
      says(code, quoting(code));
      expect((await faultOf(kube.get(ref))).message).toBe(`get ConfigMap a/one: ${code} Why`);
    }
  });
});

describe("a list", () => {
  const item = (name: string): object => ({ metadata: { name, namespace: "a", uid: name, resourceVersion: "1" } });

  test("goes on from page to page, and is of the first page's version", async () => {
    const pages: Record<string, [string, object]> = {
      "": ["one", { resourceVersion: "9", continue: "a b&c" }],
      "a b&c": ["two", { resourceVersion: "10", continue: "d" }],
      d: ["three", { resourceVersion: "10", continue: "" }],
    };
    respond = (request, response) => {
      const next = new URL(request.url ?? "", target.server).searchParams.get("continue") ?? "";
      const [name, metadata] = pages[next] ?? ["none", {}];
      response.end(JSON.stringify({ metadata, items: [item(name)] }));
    };
    const { items, resourceVersion } = await kube.list({ ...query, labels: { "berth.dev/cluster": "x", b: "" } });
    const names = items.map(({ apiVersion, kind, metadata }) => `${apiVersion} ${kind} ${metadata.name}`);
    expect(names).toEqual(["v1 ConfigMap one", "v1 ConfigMap two", "v1 ConfigMap three"]);
    expect(resourceVersion).toBe("9");
    const path = "GET /api/v1/namespaces/a/configmaps?limit=500";
    const labels = "labelSelector=berth.dev%2Fcluster%3Dx%2Cb%3D";
    expect(asked).toEqual([`${path}&${labels}`, `${path}&continue=a+b%26c&${labels}`, `${path}&continue=d&${labels}`]);
  });

  test("whose next page is too old is expired", async () => {
    respond = (request, response) => {
      if (!request.url?.includes("continue")) {
        return void response.end(JSON.stringify({ metadata: { resourceVersion: "9", continue: "x" }, items: [] }));
      }
      response.writeHead(410).end(JSON.stringify(status(410)));
    };
    expect((await faultOf(kube.list(query))).kind).toBe("expired");
  });
});

describe("a watch", () => {
  const line = (type: string, name: string): string => `${JSON.stringify({ type, object: { metadata: { name } } })}\n`;
  const streams = (chunks: string[], end = true): void => {
    respond = (_, response) => {
      response.writeHead(200);
      for (const chunk of chunks) response.write(chunk);
      if (end) response.end();
    };
  };
  const seen = async (seconds = 5, signal = new AbortController().signal): Promise<string[]> => {
    const names: string[] = [];
    for await (const { type, object } of kube.watch(query, { resourceVersion: "5", seconds, signal })) {
      names.push(`${type} ${object.metadata.name}`);
    }
    return names;
  };

  test("passes over bookmarks and what it does not know", async () => {
    streams([line("ADDED", "one"), line("BOOKMARK", "b"), line("NEWS", "n"), "\n", line("DELETED", "two")]);
    expect(await seen()).toEqual(["ADDED one", "DELETED two"]);
    expect(asked).toEqual([
      "GET /api/v1/namespaces/a/configmaps?watch=true&allowWatchBookmarks=true&resourceVersion=5&timeoutSeconds=5",
    ]);
  });

  test("is expired by an event too, and a fault of any other kind is what it says", async () => {
    streams([line("ADDED", "one"), `${JSON.stringify({ type: "ERROR", object: status(410) })}\n`], false);
    expect((await faultOf(seen())).kind).toBe("expired");
    streams([`${JSON.stringify({ type: "ERROR", object: status(500) })}\n`], false);
    expect((await faultOf(seen())).kind).toBe("unavailable");
  });

  test("whose last line was cut off ends without it, and one with nonsense is unavailable", async () => {
    streams([line("ADDED", "one"), '{"type":"ADD']);
    expect(await seen()).toEqual(["ADDED one"]);
    streams(["nonsense hunter2\n"], false);
    const fault = await faultOf(seen());
    expect([fault.kind, fault.cause]).toEqual(["unavailable", undefined]);
  });

  test("ends by itself when the server does not end it, and at once when told to", async () => {
    streams([line("ADDED", "one")], false);
    expect(await seen(0.1)).toEqual(["ADDED one"]);
    expect(await seen(60, AbortSignal.timeout(100))).toEqual(["ADDED one"]);
    expect(asked[0]).toContain("timeoutSeconds=1");
  });

  test("that breaks off is unavailable", async () => {
    respond = (_, response) => {
      response.writeHead(200);
      response.write(line("ADDED", "one"), () => response.destroy());
    };
    expect((await faultOf(seen())).kind).toBe("unavailable");
  });
});

describe("connections", () => {
  test("are kept from call to call, and shared by those who ask for the same target", async () => {
    says(200, { gitVersion: "v1.34.4" });
    const kubes = newKubes();
    const before = connections;
    for (let call = 0; call < 20; call++) await kubes({ ...target }).version();
    // The agent may open a second one while the first is on its way back.
    expect(connections - before).toBeLessThanOrEqual(2);
    expect(kubes(target)).toBe(kubes({ ...target }));
    expect(kubes({ ...target, user: { token: "another" } })).not.toBe(kubes(target));
    expect(kubes({ ...target, serverName: "another" })).not.toBe(kubes(target));
  });

  test("of the target longest unasked for are forgotten first", () => {
    const kubes = newKubes({ size: 2 });
    const of = (token: string): Kube => kubes({ ...target, user: { token } });
    const [one, two] = [of("1"), of("2")];
    expect(of("1")).toBe(one);
    of("3");
    expect(of("1")).toBe(one);
    expect(of("2")).not.toBe(two);
  });

  test("that hang hold up nobody but those who asked for them", async () => {
    says(200, { gitVersion: "v1.34.4" });
    const sockets: Socket[] = [];
    const { port } = server.address() as AddressInfo;
    // The knock at the door, and the first connection after it, are never answered; those after them reach the server.
    const flaky = createRelay((socket) => {
      sockets.push(socket);
      if (sockets.length > 2) socket.pipe(connect(port, "127.0.0.1")).pipe(socket);
    });
    await once(flaky.listen(0, "127.0.0.1"), "listening");
    const address = `https://127.0.0.1:${(flaky.address() as AddressInfo).port}`;
    const hasty = openKube({ ...target, server: address }, { timeoutMs: 2_000 });
    expect(await hasty.ready(300)).toBe(false);
    expect(await hasty.version()).toBe("v1.34.4");
    flaky.close();
    for (const socket of sockets) socket.destroy();
  });

  test("go to no server with another certificate", async () => {
    says(200, { gitVersion: "v1.34.4" });
    const stranger = await authority({ commonName: "ca", days: 1, now: new Date().toISOString() });
    const fault = await faultOf(openKube({ ...target, authority: stranger.certificate }).version());
    expect(fault).toMatchObject({ kind: "unavailable", status: 0 });
    expect(asked).toEqual([]);
  });
});
