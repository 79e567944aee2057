import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, open, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { authority, kubeconfig, leaf, type Pair, signer } from "#core/pki/index.ts";
import type { Target } from "#core/context.ts";

/** A real etcd and a real kube-apiserver, without controllers, scheduler or kubelet: bare processes on loopback. */
export interface Apiserver {
  /** Its administrator, by client certificate. */
  admin: Target;
  /** A user that is known and may do nothing, by token. */
  weak: Target;
  /** A user of this name and these groups, by client certificate. */
  user(name: string, groups?: string[]): Promise<Target>;
  /** Runs Kubernetes' own controllers on it until it is stopped. */
  control(): Promise<void>;
  /** Lets etcd forget its history up to now. Only Leases feel it at once: they alone have no watch cache here. */
  forget(): Promise<void>;
  /** A file of its folder, as it stands. */
  read(name: string): Promise<string>;
  /** Ends both processes and removes their folder. */
  stop(): Promise<void>;
}

interface Binaries {
  /** The multi-call binary of Kubernetes, which does what it is called. */
  kube: string;
  etcd: string;
}

/** What one is started with beside what all are. */
export interface Started {
  /** Written into its folder before it starts. */
  files?: Record<string, string>;
  /** Flags of the API server; one that is given here takes the place of the same one of all. */
  flags?(file: (name: string) => string): string[];
}

const controllers = ["deployment", "replicaset", "garbage-collector", "namespace", "serviceaccount", "resourcequota"];
const weakToken = "weak-token-of-the-contract-tests";

/** Starts one; about 4 s. Its certificate names `127.0.0.1` and `berth.test`, and no `localhost`. */
export async function startApiserver(more: Started = {}): Promise<Apiserver> {
  const folder = await mkdtemp(join(tmpdir(), "berth-apiserver-"));
  const processes: ChildProcess[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(processes.map(end));
    await rm(folder, { recursive: true, force: true });
  };
  try {
    return { ...(await start(folder, processes, more)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(folder: string, processes: ChildProcess[], more: Started): Promise<Omit<Apiserver, "stop">> {
  const file = (name: string): string => join(folder, name);
  const [found, { ca, user, sign }, [clientPort, peerPort, port]] = await Promise.all([
    binaries(),
    keys(file),
    freePorts(),
  ]);
  await symlink(found.kube, file("kube-apiserver"));
  await Promise.all(Object.entries(more.files ?? {}).map(([name, text]) => writeFile(file(name), text)));
  const etcd = `http://127.0.0.1:${clientPort}`;
  const peer = `http://127.0.0.1:${peerPort}`;
  processes.push(
    await run(folder, found.etcd, "etcd", [
      `--data-dir=${file("etcd")}`,
      `--listen-client-urls=${etcd}`,
      `--advertise-client-urls=${etcd}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=default=${peer}`,
      "--unsafe-no-fsync",
    ]),
  );
  const given = more.flags?.(file) ?? [];
  // A list that is given twice is both of them.
  const flags = [
    `--etcd-servers=${etcd}`,
    "--bind-address=127.0.0.1",
    "--advertise-address=127.0.0.1",
    "--endpoint-reconciler-type=none",
    `--secure-port=${port}`,
    `--tls-cert-file=${file("server.crt")}`,
    `--tls-private-key-file=${file("server.key")}`,
    `--client-ca-file=${file("ca.crt")}`,
    `--token-auth-file=${file("tokens.csv")}`,
    "--authorization-mode=RBAC",
    "--service-account-issuer=https://berth.test",
    `--service-account-key-file=${file("sa.pub")}`,
    `--service-account-signing-key-file=${file("sa.key")}`,
    "--watch-cache-sizes=leases.coordination.k8s.io#0",
    "--service-cluster-ip-range=10.97.0.0/24",
    "--service-node-port-range=30000-30031",
  ].filter((flag) => !given.some((other) => nameOf(other) === nameOf(flag)));
  const apiserver = await run(folder, file("kube-apiserver"), "kube-apiserver", [...flags, ...given]);
  processes.push(apiserver);
  const server = `https://127.0.0.1:${port}`;
  const admin: Target = { server, authority: ca, user };
  await untilReady(admin, apiserver, file("kube-apiserver.log"));
  const control = async (): Promise<void> => {
    const text = kubeconfig({ name: "test", server, authority: ca, user });
    await writeFile(file("controllers.kubeconfig"), text, { mode: 0o600 });
    await symlink(found.kube, file("kube-controller-manager"));
    const flags = [
      `--kubeconfig=${file("controllers.kubeconfig")}`,
      "--use-service-account-credentials=true",
      `--service-account-private-key-file=${file("sa.key")}`,
      "--leader-elect=false",
      "--secure-port=0",
      `--controllers=${controllers.map((name) => `${name}-controller`).join(",")}`,
    ];
    processes.push(await run(folder, file("kube-controller-manager"), "kube-controller-manager", flags));
  };
  return {
    admin,
    weak: { server, authority: ca, user: { token: weakToken } },
    user: async (name, groups) => ({ server, authority: ca, user: await sign(name, groups) }),
    control,
    forget: () => compact(etcd),
    read: (name) => readFile(file(name), "utf8"),
  };
}

/** Where the binaries are: `BERTH_BIN_DIR` (with `kube` and `etcd` in it), or what local/ builds, minutes at first. */
async function binaries(): Promise<Binaries> {
  const given = process.env["BERTH_BIN_DIR"];
  if (given !== undefined) return { kube: join(given, "kube"), etcd: join(given, "etcd") };
  const [{ ours }, { build }] = [await import("../../local/binary.ts"), await import("../../local/build.ts")];
  const [kube, etcd] = [await build(ours("kube"), console.error), await build(ours("etcd"), console.error)];
  return { kube: join(kube, "kube"), etcd: join(etcd, "etcd") };
}

interface Keys {
  ca: string;
  /** The administrator. */
  user: Pair;
  sign(commonName: string, organizations?: string[]): Promise<Pair>;
}

async function keys(file: (name: string) => string): Promise<Keys> {
  const now = new Date().toISOString();
  const ca = await authority({ commonName: "berth-test", days: 1, now });
  const [server, user, accounts] = await Promise.all([
    leaf(ca, { commonName: "kube-apiserver", dns: ["berth.test"], ips: ["127.0.0.1"], usage: "server", days: 1, now }),
    leaf(ca, { commonName: "admin", organizations: ["system:masters"], usage: "client", days: 1, now }),
    signer(),
  ]);
  await Promise.all(
    Object.entries({
      "ca.crt": ca.certificate,
      "server.crt": server.certificate,
      "server.key": server.key,
      "sa.key": accounts.privateKey,
      "sa.pub": accounts.publicKey,
      "tokens.csv": `${weakToken},weak,weak\n`,
    }).map(([name, text]) => writeFile(file(name), text, { mode: 0o600 })),
  );
  const sign: Keys["sign"] = (commonName, organizations = []) =>
    leaf(ca, { commonName, organizations, usage: "client", days: 1, now });
  return { ca: ca.certificate, user, sign };
}

const nameOf = (flag: string): string => flag.split("=")[0] ?? "";

/** Three ports that were free a moment ago, all held at once so that no two are the same. */
async function freePorts(): Promise<[number, number, number]> {
  const one = async (): Promise<number> => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    held.push(server);
    return (server.address() as AddressInfo).port;
  };
  const held: ReturnType<typeof createServer>[] = [];
  const ports: [number, number, number] = [await one(), await one(), await one()];
  await Promise.all(held.map((server) => once(server.close(), "close")));
  return ports;
}

async function compact(etcd: string): Promise<void> {
  const call = async (path: string, body: object): Promise<{ header: { revision: string } }> => {
    const answer = await fetch(`${etcd}/v3/kv/${path}`, { method: "POST", body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`etcd answered ${answer.status} to ${path}`);
    return (await answer.json()) as { header: { revision: string } };
  };
  const { header } = await call("range", { key: Buffer.from("/").toString("base64") });
  await call("compaction", { revision: header.revision, physical: true });
}

async function run(folder: string, path: string, name: string, args: string[]): Promise<ChildProcess> {
  const log = await open(join(folder, `${name}.log`), "a");
  const child = spawn(path, args, { cwd: folder, stdio: ["ignore", log.fd, log.fd] });
  await once(child, "spawn");
  await log.close();
  return child;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGKILL");
  await gone;
}

async function untilReady(target: Target, child: ChildProcess, log: string): Promise<void> {
  const { openKube } = await import("#core/kube/index.ts");
  const kube = openKube(target);
  const until = performance.now() + 60_000;
  // Its first objects (the Service "kubernetes") come a moment after readyz.
  const first = { apiVersion: "v1", kind: "Service", name: "kubernetes", namespace: "default" };
  while (!(await kube.ready(1_000)) || (await kube.get(first)) === undefined) {
    if (child.exitCode !== null || performance.now() > until) {
      throw new Error(`kube-apiserver did not get ready: ${(await readFile(log, "utf8")).slice(-2_000)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
