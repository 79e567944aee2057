import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { KubeFault } from "#core/context.ts";
import { openKube } from "#core/kube/index.ts";
import { newKubeWorld } from "../world/kube.ts";
import { startApiserver } from "./apiserver.ts";
import { asking } from "./kube/asking.ts";
import { controlled } from "./kube/controlled.ts";
import { fence } from "./kube/fence.ts";
import { generations } from "./kube/generations.ts";
import { hostRole } from "./kube/role.ts";
import { making } from "./kube/making.ts";
import { passing } from "./kube/passing.ts";
import { removing } from "./kube/removing.ts";
import { services } from "./kube/services.ts";
import { kindOf, space, type Subject } from "./kube/subject.ts";
import { tokens } from "./kube/tokens.ts";
import { watching } from "./kube/watching.ts";
import { podOf, startKubelet } from "./kubelet.ts";

type Running = Omit<Subject, "api"> & { stop(): Promise<void>; control?(): Promise<void> };

async function fake(): Promise<Running> {
  const server = "https://127.0.0.1:6443";
  const world = newKubeWorld({
    now: () => new Date().toISOString(),
    random: randomBytes,
    sleep: async (ms, signal) => await wait(ms, undefined, signal ? { signal } : {}).catch(() => undefined),
    who: ({ user }) => ("token" in user ? ({ weak: "weak", berth: "admin" } as const)[user.token] : undefined),
    isBerth: ({ user }) => "token" in user && user.token === "berth",
    ranges: { services: "10.97.0.0/24", nodePorts: [30000, 30031] },
  });
  const admin = { server, authority: "", user: { certificate: "", key: "" } };
  return {
    kube: world.kube,
    admin,
    weak: { server, authority: "", user: { token: "weak" } },
    berth: { server, authority: "", user: { token: "berth" } },
    forget: async () => world.server(server).objects.forget(),
    pod: async (container) => {
      const namespace = await space(world.kube(admin));
      await world.kube(admin).create(podOf(namespace, container));
      return { name: "one", namespace, container };
    },
    say: ({ namespace, name, container }, text) =>
      void world.server(server).logs.set(`${namespace}/${name}/${container}`, text),
    stop: async () => undefined,
  };
}

async function real(): Promise<Running> {
  const running = await startApiserver();
  try {
    const admin = openKube(running.admin);
    for (const manifest of hostRole()) await admin.create(manifest);
    const kubelet = await startKubelet(admin);
    return {
      ...running,
      ...kubelet,
      kube: openKube,
      berth: await running.user("system:serviceaccount:berth-host:berth"),
      stop: async () => void (await Promise.all([kubelet.stop(), running.stop()])),
    };
  } catch (error) {
    await running.stop();
    throw error;
  }
}

describe.each([
  ["the fake", fake, false],
  ["a real kube-apiserver", real, true],
])("%s", (_, open, isReal) => {
  // The suites are collected before a server is up, so they hold on to this object, which is filled in time.
  const subject = {} as Subject;
  let running: Running | undefined;
  beforeAll(async () => {
    running = await open();
    Object.assign(subject, running, { api: running.kube(running.admin) });
  }, 600_000);
  afterAll(async () => await running?.stop());

  making(subject);
  generations(subject);
  removing(subject);
  watching(subject);
  services(subject);
  tokens(subject);
  asking(subject);
  passing(subject);
  fence(subject);
  if (isReal) {
    connecting(subject);
    controlled(subject, async () => await running?.control?.());
  }
});

/** What only a wire can do wrong. */
function connecting(subject: Subject): void {
  test("a server is known by its address or by the name that was given, and by no other", async () => {
    expect(await subject.kube({ ...subject.admin, serverName: "berth.test" }).version()).toMatch(/^v1/);
    expect(await kindOf(subject.kube({ ...subject.admin, serverName: "other.test" }).version())).toBe("unavailable");
    const server = subject.admin.server.replace("127.0.0.1", "localhost");
    expect(await kindOf(subject.kube({ ...subject.admin, server }).version())).toBe("unavailable");
    expect(await subject.kube({ ...subject.admin, server }).ready(2_000)).toBe(false);
  });

  test("nobody there is unavailable at once, and silence is when the time is over", async () => {
    const sockets: Socket[] = [];
    const silent = createServer((socket) => sockets.push(socket)).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const server = `https://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    const kube = openKube({ ...subject.admin, server }, { timeoutMs: 300 });
    const begun = performance.now();
    expect(await kindOf(kube.version())).toBe("unavailable");
    const options = { resourceVersion: "1", seconds: 20, signal: new AbortController().signal };
    const watch = kube.watch({ apiVersion: "v1", kind: "Node" }, options)[Symbol.asyncIterator]();
    expect(await kindOf(watch.next())).toBe("unavailable");
    expect(await kube.ready(100)).toBe(false);
    expect(performance.now() - begun).toBeLessThan(5_000);
    const closed = once(silent.close(), "close");
    for (const socket of sockets) socket.destroy();
    await closed;
    expect(await kindOf(kube.version())).toBe("unavailable");
  });

  test("a fault tells of no value that was sent", async () => {
    const word = "hunter2hunter2";
    const faults = await Promise.all(
      [
        subject.api.create({
          apiVersion: "v1",
          kind: "Secret",
          metadata: { name: "x", namespace: "default" },
          stringData: { "no key": word, fine: word },
          type: word,
        }),
        subject.api.create({
          apiVersion: "v1",
          kind: "Service",
          metadata: { name: "x", namespace: "default", annotations: { "no key": word } },
          spec: { type: word, clusterIP: word, ports: [{ port: word }] },
        }),
        subject.api.apply(
          {
            apiVersion: "v1",
            kind: "ConfigMap",
            metadata: { name: "x", namespace: "default" },
            data: [word],
            [word]: 1,
          },
          "5",
        ),
        subject.kube({ ...subject.admin, user: { token: word } }).version(),
      ].map((call) => call.catch((error: unknown) => error)),
    );
    for (const fault of faults) {
      expect(fault).toBeInstanceOf(KubeFault);
      const { kind, message, cause } = fault as KubeFault;
      expect(["invalid", "unauthorized"]).toContain(kind);
      expect(`${message} ${String(cause)}`).not.toContain(word);
    }
  });
}
