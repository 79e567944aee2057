// The ear as a process of its own, on a real host: docs/host-watch.yaml runs it there. It keeps nothing, and holds two
// credentials: its account on the host, which may list, watch and read how to listen inside of clusters, and a token of
// Berth, which may poke.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import * as z from "zod";
import type { Kube, Place } from "#core/context.ts";
import { newKubes, openKube } from "#core/kube/index.ts";
import { newLog } from "../log.ts";
import { listen } from "./ear.ts";

const isLoopback = (host: string): boolean => /^(127\.\d+\.\d+\.\d+|localhost|\[::1\])$/.test(host);
const Environment = z.object({
  /** Where home is. A token is sent there, so it must be https, but on this machine. */
  BERTH_URL: z.url({ protocol: /^https?$/ }).refine((text) => {
    const { protocol, hostname } = new URL(text);
    return protocol === "https:" || isLoopback(hostname);
  }, "must be https"),
  /** A file with the text of a token that is scoped to `home:poke`. */
  BERTH_TOKEN_FILE: z.string(),
  KUBERNETES_SERVICE_HOST: z.string(),
  KUBERNETES_SERVICE_PORT: z.string(),
  /** Where Kubernetes mounts a Pod's account. */
  BERTH_ACCOUNT_DIR: z.string().default("/var/run/secrets/kubernetes.io/serviceaccount"),
});
const answerMilliseconds = 10_000;

const env = Environment.parse(process.env);
const log = newLog("berth-watch");
const kubes = newKubes();
const stop = new AbortController();
process.once("SIGTERM", () => stop.abort()).once("SIGINT", () => stop.abort());

log.info("listening", { url: env.BERTH_URL });
await listen({
  kube,
  // Kept by the ear itself, for as long as it listens there.
  inside: (target) => openKube(target),
  poke,
  log,
  sleep: async (ms, signal) => {
    // An abort ends the sleep early, which is not a failure.
    await setTimeout(ms, undefined, signal && { signal }).catch(() => undefined);
  },
  random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
  signal: stop.signal,
});
process.exit(0);

/** Kubernetes changes the account's token by the hour, so the files are read at each connection. */
async function kube(): Promise<Kube> {
  const file = (name: string): Promise<string> => readFile(join(env.BERTH_ACCOUNT_DIR, name), "utf8");
  const [authority, token] = await Promise.all([file("ca.crt"), file("token")]);
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port } = env;
  const server = `https://${host.includes(":") ? `[${host}]` : host}:${port}`;
  return kubes({ server, authority, user: { token: token.trim() } });
}

async function poke(pokes: Place[]): Promise<void> {
  const token = (await readFile(env.BERTH_TOKEN_FILE, "utf8")).trim();
  const answer = await fetch(new URL("/v1/home/pokes", env.BERTH_URL), {
    method: "POST",
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
    body: JSON.stringify({ pokes }),
    redirect: "error",
    signal: AbortSignal.timeout(answerMilliseconds),
  });
  await answer.body?.cancel();
  if (!answer.ok) throw new Error(`home answered ${answer.status}`);
}
