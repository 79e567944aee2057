import { X509Certificate } from "node:crypto";
import type { Found, Target } from "#core/context.ts";
import { standingOf, type Standing } from "./apiserver/identity.ts";
import type { Objects } from "./apiserver/server.ts";
import type { KubeWorld } from "./kube.ts";

/** The port on which every host of the world answers itself; all others are node ports. */
const hostPort = "6443";
/** What a cluster's own API server is called in the world: by its etcd's volume, as all that it knows is there. */
export const insideOf = (volume: Found): string => `etcd on ${volume.metadata.uid}`;

const parsed = new Map<string, X509Certificate>();
function read(pem: string): X509Certificate | undefined {
  try {
    const certificate = parsed.get(pem) ?? new X509Certificate(pem);
    parsed.set(pem, certificate);
    return certificate;
  } catch {
    // What is no certificate proves nothing.
    return undefined;
  }
}

const signed = new Map<string, boolean>();
function isSigned(certificate: X509Certificate, issuer: X509Certificate): boolean {
  const pair = `${certificate.fingerprint256} ${issuer.fingerprint256}`;
  const known = signed.get(pair) ?? certificate.verify(issuer.publicKey);
  signed.set(pair, known);
  return known;
}

const proves = (pem: string, authority: string, now: string): X509Certificate | undefined => {
  const [certificate, issuer] = [read(pem), read(authority)];
  if (certificate === undefined || issuer === undefined || !isSigned(certificate, issuer)) return undefined;
  return Date.parse(now) < Date.parse(certificate.validTo) ? certificate : undefined;
};

/**
 * Who is reached by whom in the world: a host at its port 6443, and at each node port the API server of the cluster
 * whose etcd and kube-apiserver run there. A client needs the right authority and name; a certificate is worth what
 * it says when the cluster's own authority signed it.
 */
export function newPlanes(kubes: () => KubeWorld, now: () => string) {
  const isHost = ({ server }: Target): boolean => new URL(server).port === hostPort;

  /** The Secret and the volume of the cluster at a node port, while its Pods run. */
  function plane({ server }: Target): { files: (name: string) => string; volume: Found } | undefined {
    const { hostname, port } = new URL(server);
    const { objects } = kubes().server(`https://${hostname}:${hostPort}`);
    const service = objects.list({ apiVersion: "v1", kind: "Service" }).find((one) => portsOf(one).includes(port));
    const namespace = service?.metadata.namespace;
    if (namespace === undefined || !runs(objects, namespace)) return undefined;
    const secret = objects.find({ apiVersion: "v1", kind: "Secret", name: "apiserver", namespace });
    const volume = objects.find({ apiVersion: "v1", kind: "PersistentVolumeClaim", name: "data-etcd-0", namespace });
    if (secret === undefined || volume === undefined) return undefined;
    const data = secret["data"] as Record<string, string>;
    return { volume, files: (name) => Buffer.from(data[name] ?? "", "base64").toString() };
  }

  return {
    answers(target: Target): string | undefined {
      if (isHost(target)) return target.server;
      const found = plane(target);
      if (found === undefined) return undefined;
      const certificate = proves(found.files("tls.crt"), target.authority, now());
      const name = target.serverName ?? new URL(target.server).hostname;
      const named = certificate?.checkHost(name) ?? certificate?.checkIP(name);
      return named === undefined ? undefined : insideOf(found.volume);
    },

    who(target: Target): Standing | undefined {
      if (isHost(target)) return "admin";
      const found = plane(target);
      if (found === undefined) return "stranger";
      const { objects } = kubes().server(insideOf(found.volume));
      if ("token" in target.user) return standingOf(target, objects, now());
      const subject = proves(target.user.certificate, found.files("ca.crt"), now())?.subject.split("\n");
      if (subject === undefined) return "stranger";
      const named = (field: string): string[] =>
        subject.filter((line) => line.startsWith(`${field}=`)).map((line) => line.slice(field.length + 1));
      const groups = [...named("O"), "system:authenticated"];
      return groups.includes("system:masters") ? "admin" : { user: named("CN")[0] ?? "", groups };
    },
  };
}

const portsOf = (service: Found): string[] =>
  ((service["spec"] as { ports?: { nodePort?: number }[] }).ports ?? []).map(({ nodePort }) => String(nodePort));

function runs(objects: Objects, namespace: string): boolean {
  const ready = (kind: string, name: string): boolean => {
    const workload = objects.find({ apiVersion: "apps/v1", kind, name, namespace });
    const { readyReplicas = 0 } = (workload?.["status"] ?? {}) as { readyReplicas?: number };
    return workload?.metadata.deletionTimestamp === undefined && readyReplicas > 0;
  };
  return ready("StatefulSet", "etcd") && ready("Deployment", "kube-apiserver");
}
