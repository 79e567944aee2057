// An ear on each host, in home's own process: what functions/watch does on a real host.
import * as Host from "#core/host/index.ts";
import type { ID } from "#core/id.ts";
import type { Deps } from "#functions/deps.ts";
import { listen } from "#functions/watch/ear.ts";

/** Listens on every host, on new ones after `everyMilliseconds` at most, until `signal` aborts. */
export async function hearAll(deps: Deps, everyMilliseconds: number, signal: AbortSignal): Promise<void> {
  const ears = new Map<ID<"host">, { stop: AbortController; ended: Promise<void> }>();
  while (!signal.aborted) {
    try {
      const hosts = new Set((await Host.all(deps.home)).map(({ id }) => id));
      for (const id of hosts) if (!ears.has(id)) ears.set(id, begin(deps, id, signal));
      for (const [id, { stop }] of ears) {
        if (hosts.has(id)) continue;
        stop.abort();
        ears.delete(id);
      }
    } catch (error) {
      deps.log.warn("the hosts could not be read for their ears", { why: String(error) });
    }
    await deps.sleep(everyMilliseconds, signal);
  }
  await Promise.all([...ears.values()].map(({ ended }) => ended));
}

function begin(deps: Deps, host: ID<"host">, signal: AbortSignal): { stop: AbortController; ended: Promise<void> } {
  const stop = new AbortController();
  const ended = listen({
    kube: async () => {
      const { kube, seal } = await deps.tools();
      return kube(await Host.target({ home: deps.home, now: () => deps.now(), seal }, host));
    },
    inside: async (target) => (await deps.tools()).kube(target),
    poke: async (pokes) => {
      await Promise.all(pokes.map(({ tenant, id }) => deps.home.poke(tenant, id)));
    },
    log: deps.log,
    sleep: (ms, also) => deps.sleep(ms, also),
    random: (bytes) => deps.random(bytes),
    signal: AbortSignal.any([signal, stop.signal]),
  });
  return { stop, ended };
}
