import { createHash } from "node:crypto";
import { closeSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "./client.ts";
import { cachePath, writePrivate, type Session } from "./config.ts";
import { Stop } from "./fault.ts";
import type { ClusterToken } from "./shape.ts";

/** https://kubernetes.io/docs/reference/config-api/client-authentication.v1/ */
export interface ExecCredential {
  apiVersion: "client.authentication.k8s.io/v1";
  kind: "ExecCredential";
  status: { expirationTimestamp: string; token: string };
}

interface Kept extends ClusterToken {
  issuedAt: string;
}

const lifeSeconds = 600;
/** How long an account that is being made is waited for. */
export const patienceMs = 30_000;
/** Longer than a fetch may take: a holder older than this has died. */
const lockMs = 90_000;

/**
 * A credential for one cluster's API server, kept in a private file until 80 % of its life.
 * The file's name holds a digest of server, cluster and token, so that no other login is ever handed it.
 */
export async function credential(
  client: Client,
  session: Session,
  cluster: string,
  fresh = false,
): Promise<ExecCredential> {
  if (!/^cls_[0-9a-z]{26}$/.test(cluster)) throw new Stop("usage", `${cluster} is no id of a cluster.`);
  const folder = join(cachePath(), "credentials");
  const name = createHash("sha256")
    .update(`${session.server}\n${cluster}\n${session.token}`)
    .digest("hex")
    .slice(0, 40);
  const file = join(folder, `${name}.json`);
  const kept = fresh ? undefined : read(file);
  if (kept !== undefined) return answer(kept);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const release = await lock(`${file}.lock`);
  try {
    // Whoever held the lock before us may have fetched what we want.
    const found = fresh ? undefined : read(file);
    return answer(found ?? (await fetchNew(client, cluster, file)));
  } finally {
    release();
  }
}

async function fetchNew(client: Client, cluster: string, file: string): Promise<Kept> {
  const issuedAt = new Date().toISOString();
  const asked = { body: { seconds: lifeSeconds }, patienceMs };
  const { value } = await client.call<ClusterToken>("POST", `/v1/kube/clusters/${cluster}/token`, asked);
  const kept: Kept = { token: value.token, expiresAt: value.expiresAt, issuedAt };
  writePrivate(file, JSON.stringify(kept));
  return kept;
}

const answer = ({ token, expiresAt }: ClusterToken): ExecCredential => ({
  apiVersion: "client.authentication.k8s.io/v1",
  kind: "ExecCredential",
  status: { expirationTimestamp: expiresAt, token },
});

/** What is kept, when it is there and young enough. A file that was cut off or is not ours is as good as none. */
function read(file: string): Kept | undefined {
  try {
    const kept = JSON.parse(readFileSync(file, "utf8")) as Kept;
    const issued = Date.parse(kept.issuedAt);
    const until = issued + 0.8 * (Date.parse(kept.expiresAt) - issued);
    // A clock that was set back makes `issued` a time to come; then nothing can be said about the rest.
    return Date.now() < until && Date.now() >= issued && typeof kept.token === "string" ? kept : undefined;
  } catch {
    return undefined;
  }
}

/**
 * One fetch at a time: kubectl and its like start many of us at once. It saves requests and no more: after the rare
 * theft of a dead holder's lock by two at once, both fetch, and the later file wins.
 */
async function lock(path: string): Promise<() => void> {
  for (;;) {
    try {
      const handle = openSync(path, "wx", 0o600);
      writeSync(handle, String(process.pid));
      closeSync(handle);
      return () => rmSync(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    if (abandoned(path)) rmSync(path, { force: true });
    else await sleep(40);
  }
}

function abandoned(path: string): boolean {
  try {
    const pid = Number(readFileSync(path, "utf8"));
    if (Date.now() - statSync(path).mtimeMs > lockMs) return true;
    // An empty lock is one whose holder is about to write its pid.
    if (pid > 0) process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
}
