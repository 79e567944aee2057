import { setTimeout as wait } from "node:timers/promises";
import { openKube } from "#core/kube/index.ts";
import { access } from "#functions/access/app.ts";
import type { Figure } from "./figures.ts";
import { type Guest, newGuest, newSpace, until } from "./people.ts";
import { newStack, type Stack } from "./stack.ts";

const each = Number(process.env["BERTH_BENCH_REVOKES"] ?? "20");
const pollMs = 200;
/** For so long nothing may succeed until it counts as over. */
const quietSeconds = 12;
/** What has not ended by then never does. */
const mostSeconds = 60;
const spreadMs = 400;
const seconds = (since: number): number => (performance.now() - since) / 1_000;

const kinds: Record<string, (stack: Stack, guest: Guest) => Promise<unknown>> = {
  "a grant removed": (stack, { grant }) => stack.ask("DELETE", `/v1/grants/${grant}`),
  "an API key revoked": (stack, { token }) => stack.ask("DELETE", `/v1/tokens/${token}`),
  "a member removed": (stack, { member }) => stack.ask("DELETE", `/v1/members/${member}`),
};

/**
 * Seconds from when a right is taken until the last success of who had it, the worst of three ways to take it, each
 * taken from 20: by the cluster's own token straight at its API server, through the proxy, and on a watch through Berth.
 */
export async function revoke(tell: (line: string) => void): Promise<Figure> {
  const stack = await newStack(tell);
  const samples: Record<string, number[]> = {};
  try {
    const at = await newSpace(stack, "revoke");
    tell("the cluster and its project are ready");
    for (const [kind, take] of Object.entries(kinds)) {
      const names = Array.from({ length: each }, (_, i) => `${kind.replaceAll(/\W+/g, "-").toLowerCase()}-${i}`);
      const guests: Guest[] = [];
      for (const name of names) guests.push(await newGuest(stack, at, name));
      tell(`${guests.length} are in`);
      const stir = stirring(stack, at.cluster);
      const lasts = await Promise.all(
        guests.map(async (guest, i) => {
          const [direct, proxied, streamed] = trials(stack, at, guest);
          const all = [direct, proxied, streamed].map((start) => start());
          await until(async () => all.every(({ alive }) => alive()));
          await wait(i * spreadMs);
          const since = performance.now();
          const taking = take(stack, guest);
          const ends = await Promise.all(all.map(({ last }) => last(since)));
          await taking;
          return ends;
        }),
      );
      await stir();
      for (const [i, way] of ["kubeconfig", "proxy", "stream"].entries()) {
        const all = lasts.map((ends) => ends[i] ?? Number.NaN).sort((a, b) => a - b);
        samples[`${kind}, ${way}, seconds`] = all;
        tell(`${kind}, by ${way}: ${all.map((one) => one.toFixed(1)).join(" ")}`);
      }
    }
    const value = Math.max(...Object.values(samples).flat());
    const notes = [`${each} of each; tried each ${pollMs} ms, and until nothing succeeded for ${quietSeconds} s`];
    return { name: "revoke", value, unit: "seconds", samples, notes };
  } finally {
    await stack.down();
  }
}

interface Trial {
  /** Whether it has succeeded. */
  alive(): boolean;
  /** Seconds from `since` to the last success, once that is over; less than nothing does not count. */
  last(since: number): Promise<number>;
}

const path = "/api/v1/namespaces/revoke/configmaps";

function trials(stack: Stack, at: { cluster: string }, guest: Guest): [() => Trial, () => Trial, () => Trial] {
  const kube = openKube(guest.target);
  // Each by a process of its own, as far as what a process keeps goes: none learns from the other, or from who revokes.
  const apart = (): ReturnType<typeof access> => access({ ...stack.deps, home: { ...stack.deps.home } });
  const [one, two] = [apart(), apart()];
  const headers = { Authorization: `Bearer ${guest.text}` };
  const through = (door: typeof one, query: string): Promise<Response> =>
    Promise.resolve(door.request(`/v1/kube/${at.cluster}${path}?${query}`, { headers }));
  const signal = (): AbortSignal => AbortSignal.timeout(5_000);
  const direct = async (): Promise<boolean> => {
    const { status, body } = await kube.pass({ method: "GET", path: `${path}?limit=1`, headers: {}, signal: signal() });
    for await (const _ of body);
    return status === 200;
  };
  const proxied = async (): Promise<boolean> => {
    const answer = await through(one, "limit=1");
    await answer.arrayBuffer();
    return answer.status === 200;
  };
  return [() => polled(direct), () => polled(proxied), () => streamed(() => through(two, "watch=true"))];
}

function polled(attempt: () => Promise<boolean>): Trial {
  let success: number | undefined;
  const done = new AbortController();
  void (async () => {
    while (!done.signal.aborted) {
      if (await attempt().catch(() => false)) success = performance.now();
      await wait(pollMs);
    }
  })();
  return {
    alive: () => success !== undefined,
    last: (since) =>
      over(
        since,
        () => success,
        () => done.abort(),
      ),
  };
}

/** A watch; who is cut off opens it anew, as every client does. */
function streamed(open: () => Promise<Response>): Trial {
  let success: number | undefined;
  const done = new AbortController();
  void (async () => {
    while (!done.signal.aborted) {
      try {
        const answer = await open();
        const reader = answer.status === 200 ? answer.body?.getReader() : undefined;
        for (let going = reader !== undefined; going && !done.signal.aborted; ) {
          const piece = await reader?.read();
          going = piece?.done === false;
          if (going) success = performance.now();
        }
        await reader?.cancel();
      } catch {
        // Cut off, which is what is waited for.
      }
      await wait(pollMs);
    }
  })();
  return {
    alive: () => success !== undefined,
    last: (since) =>
      over(
        since,
        () => success,
        () => done.abort(),
      ),
  };
}

async function over(since: number, success: () => number | undefined, end: () => void): Promise<number> {
  for (;;) {
    await wait(pollMs);
    const last = Math.max(since, success() ?? since);
    if (seconds(last) < quietSeconds && seconds(since) < mostSeconds) continue;
    end();
    return seconds(since) >= mostSeconds ? mostSeconds : Math.max(0, (last - since) / 1_000);
  }
}

/** Something happens four times a second, so that a watch that is open shows it. @returns what ends it. */
function stirring(stack: Stack, cluster: string): () => Promise<void> {
  const done = new AbortController();
  const object = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "stirred" } };
  const ended = (async () => {
    const at = `/v1/kube/${cluster}${path}`;
    await stack.ask("POST", at, object).catch(() => undefined);
    for (let i = 0; !done.signal.aborted; i += 1) {
      const data = { count: String(i) };
      await stack.ask("PUT", `${at}/stirred`, { ...object, data }).catch(() => undefined);
      await wait(250);
    }
  })();
  return async () => {
    done.abort();
    await ended;
  };
}
