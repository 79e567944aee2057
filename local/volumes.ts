// Free local PersistentVolumes, made beforehand so that a claim is bound at once.
import { mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { pause } from "./command.ts";
import { type Api, apply, get, open } from "./host/api.ts";
import { mounts } from "./mount.ts";
import { read, save, type State } from "./state.ts";

interface Volume {
  metadata: { name: string; uid: string };
  status: { phase?: string };
}

/** How many volumes are kept free; a burst of more claims waits for the next round. */
const ahead = 8;
const name = "berth-local";

/** Makes the class. Binding is immediate, as there is one node and so nothing to choose. */
export const storageClass = (api: Api): Promise<void> =>
  apply(api, `/apis/storage.k8s.io/v1/storageclasses/${name}`, {
    apiVersion: "storage.k8s.io/v1",
    kind: "StorageClass",
    metadata: { name, annotations: { "storageclass.kubernetes.io/is-default-class": "true" } },
    provisioner: "kubernetes.io/no-provisioner",
    volumeBindingMode: "Immediate",
    reclaimPolicy: "Retain",
  });

/**
 * One round: released volumes are thrown away with what is on them, and `count` free ones are there afterwards.
 * @returns the resourceVersion it looked at, to watch from.
 */
export async function tend(state: State, api: Api, node: string, count = ahead): Promise<string> {
  const folder = join(state.root, "volumes");
  mkdirSync(folder, { recursive: true });
  const found = await get<{ metadata: { resourceVersion: string }; items: Volume[] }>(api, "/api/v1/persistentvolumes");
  const ours = found.items.filter((volume) => numbered.test(volume.metadata.name));
  const released = ours.filter(({ status }) => status.phase === "Released" || status.phase === "Failed");
  await Promise.all(released.map((volume) => discard(api, folder, volume)));
  // Only what was renamed is wiped: a folder whose volume the API does not know may be all that is left of somebody's data.
  for (const each of readdirSync(folder).filter((file) => file.startsWith("released-"))) {
    rmSync(join(folder, each), { recursive: true, force: true });
  }
  const free = ours.filter(
    ({ status }) => status.phase === undefined || ["Available", "Pending"].includes(status.phase),
  );
  const highest = [...ours.map((volume) => volume.metadata.name), ...readdirSync(folder)].map((each) =>
    Number(numbered.exec(each)?.[1] ?? 0),
  );
  // No number is used twice: the kubelet may still be busy with a volume of that name.
  const counter = join(state.root, "volumes.next");
  const next = Math.max(Number(read(counter) ?? 1), ...highest.map((number) => number + 1));
  const missing = Math.max(0, count - free.length);
  save(counter, String(next + missing));
  await Promise.all(Array.from({ length: missing }, (_, i) => make(api, folder, node, `pv-${next + i}`)));
  return found.metadata.resourceVersion;
}

/**
 * Keeps free volumes ahead until `signal`: acts on each change, and looks by itself at least each half minute.
 * Faults are told and outlived.
 */
export async function keepVolumes(
  state: State,
  host: { address: string; node: string },
  signal: AbortSignal,
  tell: (line: string) => void = () => undefined,
): Promise<void> {
  const folder = join(state.root, "pki");
  const api = open({ folder, authority: join(folder, "ca.crt") }, host.address);
  while (!signal.aborted) {
    try {
      await changed(api, await tend(state, api, host.node), signal);
    } catch (error) {
      if (signal.aborted) break;
      tell(`volumes: ${error instanceof Error ? error.message : String(error)}`);
      await pause(2000, signal);
    }
  }
  api.close();
}

/** Resolves a moment after a volume is bound or released, or after half a minute. */
async function changed(api: Api, since: string, signal: AbortSignal): Promise<void> {
  const stop = new AbortController();
  const path = `/api/v1/persistentvolumes?watch=true&timeoutSeconds=30&resourceVersion=${since}`;
  const onLine = (line: string): void => {
    const event = JSON.parse(line) as { type: string; object: Volume };
    if (event.type === "ERROR" || ["Bound", "Released", "Failed"].includes(event.object.status.phase ?? ""))
      stop.abort();
  };
  await api.watch(path, onLine, AbortSignal.any([signal, stop.signal])).catch((error: unknown) => {
    if (!stop.signal.aborted) throw error;
  });
  // Claims come in bursts; one round serves them all.
  if (stop.signal.aborted) await pause(200, signal);
}

const numbered = /^(?:released-)?pv-(\d+)$/;

async function discard(api: Api, folder: string, { metadata }: Volume): Promise<void> {
  const path = join(folder, metadata.name);
  // The claim may go before the kubelet has unmounted the volume; the next round comes.
  if (mounts("/").some(({ root }) => root.endsWith(path))) return;
  try {
    renameSync(path, join(folder, `released-${metadata.name}`));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
  const body = { preconditions: { uid: metadata.uid } };
  await api.call("DELETE", `/api/v1/persistentvolumes/${metadata.name}`, body);
}

async function make(api: Api, folder: string, node: string, volume: string): Promise<void> {
  const path = join(folder, volume);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  const { status, body } = await api.call("POST", "/api/v1/persistentvolumes", {
    apiVersion: "v1",
    kind: "PersistentVolume",
    metadata: { name: volume, labels: { "app.kubernetes.io/managed-by": "berth-local" } },
    spec: {
      capacity: { storage: "8Gi" },
      accessModes: ["ReadWriteOnce"],
      persistentVolumeReclaimPolicy: "Retain",
      storageClassName: name,
      local: { path },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: [node] }] },
          ],
        },
      },
    },
  });
  if (status !== 201) throw new Error(`volume ${volume}: ${status} ${body}`);
}
