// The host's own keys, made once and kept in the state folder.
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { authority, kubeconfig, leaf, type LeafOptions, type Pair, signer } from "../../core/pki/index.ts";
import { read, save, type State } from "../state.ts";
import { berth } from "./role.ts";

export interface Keys {
  /** Folder of all files below. */
  folder: string;
  /** Berth's own kubeconfig, of an identity that may do what docs/host-role.yaml says. */
  berth: string;
  authority: string;
}

/** Ten years: a local host does not live to renew them. */
const days = 3650;
const user = { usage: "client", days } as const;

/** Writes keys, certificates and kubeconfigs for a node called `node` at `address`; again only when those change. */
export async function keys(state: State, node: string, address: string): Promise<Keys> {
  const folder = join(state.root, "pki");
  const found = { folder, berth: join(folder, "berth.kubeconfig"), authority: join(folder, "ca.crt") };
  const stamp = JSON.stringify({ version: 2, node, address });
  if (read(join(folder, "stamp")) === stamp) return found;
  const now = new Date().toISOString();
  const [ca, etcd, proxy] = await Promise.all([
    kept(folder, "ca", () => authority({ commonName: "berth-host", days, now })),
    kept(folder, "etcd-ca", () => authority({ commonName: "berth-host-etcd", days, now })),
    kept(folder, "front-proxy-ca", () => authority({ commonName: "berth-host-front-proxy", days, now })),
    once(folder, "sa", async () => {
      const { privateKey, publicKey } = await signer();
      return { "sa.key": privateKey, "sa.pub": publicKey };
    }),
    once(folder, "encryption", async () => ({ "encryption.json": encryption() })),
  ]);
  const sign = async (by: Pair, name: string, options: Omit<LeafOptions, "now">): Promise<void> =>
    write(folder, name, await leaf(by, { ...options, now }));
  const speak = async (name: string, commonName: string, organizations: string[] = []): Promise<void> => {
    const pair = await leaf(ca, { ...user, commonName, organizations, now });
    const server = `https://${address}:6443`;
    const text = kubeconfig({ name: "berth-host", server, authority: ca.certificate, user: pair });
    save(join(folder, `${name}.kubeconfig`), text);
    write(folder, name, pair);
  };
  const local = { dns: ["localhost"], ips: ["127.0.0.1"], days };
  await Promise.all([
    sign(ca, "apiserver", { commonName: "kube-apiserver", usage: "server", days, ...names(address) }),
    sign(ca, "apiserver-kubelet", {
      commonName: "kube-apiserver-kubelet-client",
      ...user,
      organizations: ["system:masters"],
    }),
    sign(ca, "kubelet-server", {
      commonName: `system:node:${node}`,
      usage: "server",
      days,
      dns: [node],
      ips: [address],
    }),
    sign(etcd, "etcd", { commonName: "etcd", usage: "both", ...local }),
    sign(etcd, "apiserver-etcd", { commonName: "kube-apiserver-etcd-client", ...user }),
    sign(proxy, "front-proxy", { commonName: "front-proxy-client", ...user }),
    speak("admin", "berth-admin", ["system:masters"]),
    speak("berth", berth),
    speak("manager", "system:kube-controller-manager"),
    speak("scheduler", "system:kube-scheduler"),
    speak("proxy", "system:kube-proxy"),
    speak("kubelet", `system:node:${node}`, ["system:nodes"]),
  ]);
  save(join(folder, "stamp"), stamp);
  return found;
}

const names = (address: string): { dns: string[]; ips: string[] } => ({
  dns: ["kubernetes", "default", "default.svc", "default.svc.cluster.local"]
    .map((suffix, i) => (i === 0 ? suffix : `kubernetes.${suffix}`))
    .concat("localhost"),
  ips: ["10.96.0.1", "127.0.0.1", address],
});

/** Tenants' keys pass through the host's Secrets, so even the local host keeps them encrypted. */
const encryption = (): string =>
  JSON.stringify({
    apiVersion: "apiserver.config.k8s.io/v1",
    kind: "EncryptionConfiguration",
    resources: [
      {
        resources: ["secrets"],
        providers: [
          { secretbox: { keys: [{ name: "local", secret: randomBytes(32).toString("base64") }] } },
          { identity: {} },
        ],
      },
    ],
  });

/** An authority outlives the address it was first used at. */
async function kept(folder: string, name: string, make: () => Promise<Pair>): Promise<Pair> {
  const [certificate, key] = [read(join(folder, `${name}.crt`)), read(join(folder, `${name}.key`))];
  if (certificate !== undefined && key !== undefined) return { certificate, key };
  const pair = await make();
  write(folder, name, pair);
  return pair;
}

async function once(folder: string, name: string, make: () => Promise<Record<string, string>>): Promise<void> {
  const mark = join(folder, `${name}.made`);
  if (read(mark) !== undefined) return;
  for (const [file, text] of Object.entries(await make())) save(join(folder, file), text);
  save(mark, "");
}

function write(folder: string, name: string, { certificate, key }: Pair): void {
  save(join(folder, `${name}.crt`), certificate);
  save(join(folder, `${name}.key`), key);
}
