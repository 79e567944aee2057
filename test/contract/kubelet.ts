import { once } from "node:events";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Kube, Manifest } from "#core/context.ts";
import { authority, leaf } from "#core/pki/index.ts";
import { space } from "./kube/subject.ts";

export interface Container {
  name: string;
  namespace: string;
  container: string;
}

/** What an API server asks of a kubelet when it is asked for logs, and no more; and a Node that leads to it. */
export interface Kubelet {
  pod(container: string): Promise<Container>;
  say(container: Container, text: string): void;
  stop(): Promise<void>;
}

/** Starts one on loopback; it knows nobody, so it serves nothing but what a test says. */
export async function startKubelet(api: Kube): Promise<Kubelet> {
  const now = new Date().toISOString();
  const ca = await authority({ commonName: "kubelet", days: 1, now });
  const { certificate, key } = await leaf(ca, { commonName: "k", ips: ["127.0.0.1"], usage: "server", days: 1, now });
  const said = new Map<string, string>();
  const server = createServer({ cert: certificate, key }, ({ url = "" }, answer) => {
    const { pathname, searchParams } = new URL(url, "https://127.0.0.1");
    const asked = ["timestamps", "tailLines", "limitBytes"].every((name) => searchParams.has(name));
    const text = said.get(pathname.replace("/containerLogs/", "")) ?? "";
    const lines = text.split(/(?<=\n)/).slice(-Number(searchParams.get("tailLines")));
    answer.writeHead(asked ? 200 : 400).end(lines.join("").slice(0, Number(searchParams.get("limitBytes"))));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  await api.create({
    apiVersion: "v1",
    kind: "Node",
    metadata: { name: "one" },
    status: {
      addresses: [{ type: "InternalIP", address: "127.0.0.1" }],
      daemonEndpoints: { kubeletEndpoint: { Port: port } },
    },
  });
  return {
    pod: async (container) => {
      const namespace = await space(api);
      await api.create({ apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default", namespace } });
      await api.create(podOf(namespace, container));
      return { name: "one", namespace, container };
    },
    say: ({ namespace, name, container }, text) => void said.set(`${namespace}/${name}/${container}`, text),
    async stop() {
      const closed = once(server.close(), "close");
      server.closeAllConnections();
      await closed;
    },
  };
}

export const podOf = (namespace: string, container: string): Manifest => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "one", namespace },
  spec: { nodeName: "one", automountServiceAccountToken: false, containers: [{ name: container, image: "none" }] },
});
