import { createHash } from "node:crypto";
import type { Kube, Target } from "../context.ts";
import { openKube, type KubeOptions } from "./client.ts";

const sizeDefault = 100;

/**
 * Clients that are kept, so that their connections are: the same target gets the same client.
 * The least lately asked for is forgotten when there are more than `size`; whoever still holds it may go on with it,
 * and its idle connections end by themselves within seconds.
 */
export function newKubes(options: KubeOptions & { size?: number } = {}): (target: Target) => Kube {
  const kept = new Map<string, Kube>();
  return (target) => {
    const key = keyOf(target);
    const kube = kept.get(key) ?? openKube(target, options);
    kept.delete(key);
    kept.set(key, kube);
    if (kept.size > (options.size ?? sizeDefault)) {
      const [oldest = key] = kept.keys();
      kept.delete(oldest);
    }
    return kube;
  };
}

// A digest, so that no second copy of a token or key lies about.
function keyOf({ server, authority, serverName, user }: Target): string {
  const identity = "token" in user ? ["token", user.token] : ["certificate", user.certificate, user.key];
  const parts = JSON.stringify([server, authority, serverName ?? null, ...identity]);
  return createHash("sha256").update(parts).digest("base64");
}
