// What makes trouble for a stack, and whoever goes on asking meanwhile.
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { pid, start } from "../../local/process.ts";
import { paths } from "../../local/settings.ts";
import type { Stack } from "./stack.ts";

export const deep = process.env["BERTH_DEEP"] !== undefined;

/** Numbers from 0 to 1 that a seed tells (mulberry32); the seed is printed, so that a run can be had again. */
export function dice(what: string, seed = Number(process.env["BERTH_SEED"] ?? Date.now() % 1_000_000)): () => number {
  console.log(`${what}: BERTH_SEED=${seed}`);
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Stops a process of the stack; the answer lets it go on. */
export function hold({ state }: Stack, name: "home" | "table" | "kube-apiserver"): () => void {
  const found = pid(state, name);
  if (found === undefined) throw new Error(`${name} does not run`);
  process.kill(found, "SIGSTOP");
  return () => void process.kill(found, "SIGCONT");
}

/** Starts home as `npm start` does, without all that goes before it. */
export async function startHome({ state }: Stack): Promise<void> {
  const home = join(import.meta.dirname, "..", "..", "local", "home.ts");
  const env = { BERTH_STATE: state.root, BERTH_CLOCK_SECONDS: "5" };
  await start(state, { name: "home", command: [process.execPath, home], env });
}

/** Sends a change until it is answered, with one key: so it happens once, however often home dies meanwhile. */
export async function surely<T>(stack: Stack, method: string, path: string, body?: object): Promise<T> {
  const headers = {
    Authorization: `Bearer ${readFileSync(paths(stack.state).token, "utf8").trim()}`,
    "Content-Type": "application/json",
    "Idempotency-Key": randomUUID(),
  };
  const what = `${method} ${path}`;
  for (const until = Date.now() + 120_000; Date.now() < until; await pause(200)) {
    const answer = await fetch(stack.url + path, {
      method,
      headers,
      signal: AbortSignal.timeout(20_000),
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }).catch(() => undefined);
    const text = await answer?.text().catch(() => undefined);
    if (answer === undefined || text === undefined || answer.status >= 500 || answer.status === 429) continue;
    if (!answer.ok) throw new Error(`${what}: ${answer.status} ${text}`);
    return (text === "" ? undefined : JSON.parse(text)) as T;
  }
  throw new Error(`${what} was not answered in two minutes`);
}

/** Asks a cluster once a second, with a kubeconfig that was had before; the answer ends it and tells what failed. */
export function ask(stack: Stack, kubeconfig: string): () => Promise<{ asked: number; failed: string[] }> {
  const ended = new AbortController();
  const failed: string[] = [];
  let asked = 0;
  const asking = (async () => {
    while (!ended.signal.aborted) {
      const next = pause(1000, undefined, { signal: ended.signal }).catch(() => undefined);
      const { code, err } = await stack.kubectl(kubeconfig, "get", "--raw", "/api/v1/namespaces/default");
      asked += 1;
      if (code !== 0) failed.push(err);
      await next;
    }
  })();
  return async () => {
    ended.abort();
    await asking;
    return { asked, failed };
  };
}
