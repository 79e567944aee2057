import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { request } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { parseAllDocuments } from "yaml";
import { earGroup } from "#core/cluster/manifests/ear.ts";
import type { Kube, Manifest, Target } from "#core/context.ts";
import { openKube, refOf } from "#core/kube/index.ts";
import { type Apiserver, startApiserver } from "./apiserver.ts";
import { accountOf, bindingOf, letIn } from "./inner.ts";

// The ear as an operator runs it: the bundled process, under the account and role of docs/host-watch.yaml, against a
// real kube-apiserver. What happens to the cluster `b` marks the time: once it is heard, what came before was heard too.
const token = "the-token-of-an-ear";
const tenant = `tnt_${"0".repeat(26)}`;
const cluster = (letter: string): string => `cls_${"0".repeat(25)}${letter}`;
const spaceOf = (letter: string): string => cluster(letter).replace("_", "-");

let server: Apiserver;
let kube: Kube;
/** What the ear is inside of the cluster `a`, which is the very same server here. */
let inner: Target;
let home: Server;
let ear: ChildProcess;
let folder: string;
let said: string[] = [];
const tokens = new Set<string | undefined>();

beforeAll(async () => {
  [server, folder] = await Promise.all([startApiserver(), mkdtemp(join(tmpdir(), "berth-ear-"))]);
  kube = openKube(server.admin);
  for (const each of parseAllDocuments(await readFile("docs/host-watch.yaml", "utf8"))) {
    const manifest = each.toJS() as Manifest;
    if (manifest.kind === "ServiceAccount") {
      await kube.create({ apiVersion: "v1", kind: "Namespace", metadata: { name: "berth-host" } });
    }
    if (manifest.kind !== "Deployment") await kube.create(manifest);
  }
  const account = await kube.token({ name: "berth-watch", namespace: "berth-host" }, { seconds: 600 });
  const file = (name: string): string => join(folder, name);
  await Promise.all([
    writeFile(file("token"), account.token),
    writeFile(file("ca.crt"), server.admin.authority),
    writeFile(file("berth"), `${token}\n`),
    build({
      entryPoints: ["functions/watch/main.ts"],
      outfile: file("watch.mjs"),
      bundle: true,
      minify: true,
      platform: "node",
      target: "node24",
      format: "esm",
      logLevel: "error",
      banner: { js: 'import{createRequire}from"node:module";const require=createRequire(import.meta.url);' },
    }),
    make("a"),
    make("b"),
  ]);
  inner = await server.user("berth-ear", [earGroup]);
  await letIn(kube, inner, spaceOf("a"));
  home = createServer((inbound, outbound) => {
    tokens.add(inbound.headers.authorization);
    void json(inbound).then((body) => {
      said.push(...(body as { pokes: { id: string }[] }).pokes.map(({ id }) => id));
      outbound.writeHead(202).end("{}");
    });
  }).listen(0, "127.0.0.1");
  await once(home, "listening");
  const { hostname, port } = new URL(server.admin.server);
  ear = spawn(process.execPath, [file("watch.mjs")], {
    stdio: ["ignore", "ignore", "inherit"],
    env: {
      BERTH_URL: `http://127.0.0.1:${(home.address() as AddressInfo).port}`,
      BERTH_TOKEN_FILE: file("berth"),
      BERTH_ACCOUNT_DIR: folder,
      KUBERNETES_SERVICE_HOST: hostname,
      KUBERNETES_SERVICE_PORT: port,
    },
  });
  // It says nothing when it has begun; so something happens until it is heard, for each kind that is watched below.
  for (const path of [`${core("b")}/configmaps/one`, `${apps("b")}/deployments/one`]) {
    said = [];
    await vi.waitUntil(async () => (await touch(path), said.length > 0), { timeout: 30_000, interval: 200 });
  }
});

afterAll(async () => {
  if (ear?.exitCode === null) ear.kill("SIGKILL");
  home?.closeAllConnections();
  home?.close();
  await server?.stop();
  await rm(folder, { recursive: true, force: true });
});

const core = (letter: string): string => `/api/v1/namespaces/${spaceOf(letter)}`;
const apps = (letter: string): string => `/apis/apps/v1/namespaces/${spaceOf(letter)}`;

function configMap(letter: string, name: string, data: Record<string, string>): Manifest {
  const labels = { "app.kubernetes.io/managed-by": "berth", "berth.dev/cluster": spaceOf(letter) };
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, namespace: spaceOf(letter), labels }, data };
}

/** A cluster's namespace with a ConfigMap and a Deployment that is ready. */
async function make(letter: string): Promise<void> {
  const { labels = {} } = configMap(letter, "one", {}).metadata;
  const space = { name: spaceOf(letter), labels: { ...labels, "berth.dev/tenant": tenant.replace("_", "-") } };
  await kube.create({ apiVersion: "v1", kind: "Namespace", metadata: space });
  await kube.create(configMap(letter, "one", { x: "1", y: "1" }));
  const selector = { matchLabels: { app: "one" } };
  const containers = [{ name: "one", image: "images.test/one" }];
  const template = { metadata: { labels: { app: "one" } }, spec: { containers } };
  const metadata = { name: "one", namespace: spaceOf(letter), labels };
  await kube.create({ apiVersion: "apps/v1", kind: "Deployment", metadata, spec: { replicas: 1, selector, template } });
  await send("kube-controller-manager", `${apps(letter)}/deployments/one/status`, readiness(1));
}
const access = cluster("a").replace("cls_", "acc_");
const bound = (name: string): Manifest => bindingOf(access, name);

const readiness = (readyReplicas: number) => ({
  status: { replicas: 1, readyReplicas, availableReplicas: readyReplicas },
});

/** A merge patch of the administrator's, under the name of this field manager. */
async function send(manager: string, path: string, body: object): Promise<void> {
  if (!("key" in server.admin.user)) throw new Error("the administrator has no certificate");
  const { certificate: cert, key } = server.admin.user;
  const options = { method: "PATCH", ca: server.admin.authority, cert, key };
  const headers = { "content-type": "application/merge-patch+json" };
  const status = await new Promise((resolve, reject) => {
    request(`${server.admin.server}${path}?fieldManager=${manager}`, { ...options, headers }, (answer) => {
      answer.resume().once("end", () => resolve(answer.statusCode));
    })
      .once("error", reject)
      .end(JSON.stringify(body));
  });
  expect(status, path).toBe(200);
}
let touches = 0;
const touch = (path: string): Promise<void> =>
  send(`eve-${(touches += 1)}`, path, { metadata: { annotations: { "stranger.example/note": String(touches) } } });

/** Who was heard of while `work` was done, and until `b` was touched and heard of after it. */
async function heard(work: () => Promise<unknown>): Promise<string[]> {
  // What was heard before may still be under way for a second; so `b` is heard of once before, too.
  said = [];
  await touch(`${core("b")}/configmaps/one`);
  await vi.waitUntil(() => said.includes(cluster("b")), { timeout: 10_000 });
  said = [];
  await work();
  for (const path of [`${core("b")}/configmaps/one`, `${apps("b")}/deployments/one`]) await touch(path);
  await vi.waitUntil(() => said.includes(cluster("b")), { timeout: 10_000 });
  return [...new Set(said)].filter((id) => id !== cluster("b"));
}

test("Berth's own creates, applies and annotations are not heard, nor a controller's status", async () => {
  const about = await heard(async () => {
    const made = await kube.create(configMap("a", "two", { x: "1" }));
    const next = await kube.apply(configMap("a", "two", { x: "2", y: "2" }), made.metadata.resourceVersion);
    await kube.annotate({ apiVersion: "v1", kind: "ConfigMap", name: "two", namespace: spaceOf("a") }, next.metadata, {
      "berth.dev/epoch": "2",
    });
    await send("kube-controller-manager", `${apps("a")}/deployments/one/status`, readiness(1));
    await send("kube-controller-manager", `${apps("a")}/deployments/one`, {
      metadata: { annotations: { "deployment.kubernetes.io/revision": "1" } },
    });
  });
  expect(about).toEqual([]);
});

test("a stranger's change is heard, and one that only takes a field of ours away", async () => {
  const path = `${core("a")}/configmaps/one`;
  expect(await heard(() => send("eve", path, { data: { x: "9" } }))).toEqual([cluster("a")]);
  expect(await heard(() => send("mallory", path, { data: { y: null } }))).toEqual([cluster("a")]);
});

test("a workload that gets less ready is heard", async () => {
  const path = `${apps("a")}/deployments/one/status`;
  expect(await heard(() => send("kube-controller-manager", path, readiness(0)))).toEqual([cluster("a")]);
});

test("a deletion is heard", async () => {
  const ref = { apiVersion: "v1", kind: "ConfigMap", name: "one", namespace: spaceOf("a") };
  const uid = (await kube.get(ref))?.metadata.uid ?? "";
  expect(await heard(() => kube.remove(ref, { uid }))).toEqual([cluster("a")]);
});

test("inside of a cluster, a binding or account of ours that is deleted is heard, and what Berth makes is not", async () => {
  const drop = async (manifest: Manifest): Promise<void> => {
    const uid = (await kube.get(refOf(manifest)))?.metadata.uid ?? "";
    await kube.remove(refOf(manifest), { uid });
  };
  const account = accountOf(access, "bob");
  // It says nothing when it has come in; so a binding comes and goes until one is heard.
  let at = 0;
  const one = async (): Promise<boolean> => {
    at += 1;
    await kube.create(bound(`early-${at}`));
    await drop(bound(`early-${at}`));
    return said.includes(access);
  };
  await vi.waitUntil(one, { timeout: 30_000, interval: 1_000 });
  expect(await heard(() => Promise.all([kube.create(bound("late")), kube.create(account)]))).toEqual([]);
  for (const each of [bound("late"), account]) {
    said = [];
    await drop(each);
    await vi.waitUntil(() => said.includes(access), { timeout: 10_000 });
  }
});

test("with what it holds inside it lists accounts of members, and no Secret, and changes nothing", async () => {
  const ear = openKube(inner);
  const forbidden = { kind: "forbidden" };
  expect(await ear.list({ apiVersion: "v1", kind: "ServiceAccount", namespace: "berth-members" })).toMatchObject({});
  for (const namespace of ["berth-members", "default", spaceOf("a")]) {
    await expect(ear.list({ apiVersion: "v1", kind: "Secret", namespace })).rejects.toMatchObject(forbidden);
    await expect(ear.list({ apiVersion: "v1", kind: "Pod", namespace })).rejects.toMatchObject(forbidden);
  }
  await expect(ear.list({ apiVersion: "v1", kind: "ServiceAccount" })).rejects.toMatchObject(forbidden);
  await expect(ear.create(bound("own"))).rejects.toMatchObject(forbidden);
  await expect(ear.token({ name: "default", namespace: "berth-members" }, { seconds: 600 })).rejects.toMatchObject(
    forbidden,
  );
});

test("on the host it reads the Secret of its own name, and no other", async () => {
  const account = await readFile(join(folder, "token"), "utf8");
  const host = openKube({ ...server.admin, user: { token: account } });
  const secret = (name: string) => host.get({ apiVersion: "v1", kind: "Secret", name, namespace: spaceOf("a") });
  expect((await secret("ear"))?.metadata.name).toBe("ear");
  await expect(secret("apiserver")).rejects.toMatchObject({ kind: "forbidden" });
  await expect(host.list({ apiVersion: "v1", kind: "Secret", namespace: spaceOf("a") })).rejects.toMatchObject({
    kind: "forbidden",
  });
});

test("it says who it is by its token alone, and ends at once when it is told to", async () => {
  expect([...tokens]).toEqual([`Bearer ${token}`]);
  const ended = once(ear, "exit");
  ear.kill("SIGTERM");
  expect(await ended).toEqual([0, null]);
});
