import { type Found, type Kube, KubeFault, type Manifest, type Query, type Ref, type Target } from "#core/context.ts";
import { refOf } from "../world/apiserver/ref.ts";
import type { Call } from "./fault.ts";
import type { Ground } from "./ground.ts";
import type { Meet } from "./process.ts";

/** Whose namespace is written, on a host. */
function clusterOf({ kind, name, namespace }: Partial<Ref> & { kind: string }): string | undefined {
  const space = kind === "Namespace" ? name : namespace;
  return space?.startsWith("cls-") === true ? space.replace("-", "_") : undefined;
}

/** An API server over a wire that fails: each call may not come, not come back, or come twice. */
export function wiredKube(ground: Ground, meet: Meet, by: string, target: Target): Kube {
  const inner = ground.world.kubes.kube(target);
  const reached = async <T>(act: () => Promise<T>): Promise<T> => {
    if (!ground.isAway(target)) return await act();
    throw new KubeFault("unavailable", "no connection: the host is away");
  };
  const called = <T>(verb: string, on: Partial<Ref> & { kind: string }, writes: boolean, act: () => Promise<T>) => {
    const about = writes ? clusterOf(on) : undefined;
    const call: Call = { port: "kube", what: `${verb} ${on.kind} ${on.name ?? ""}`, writes, about };
    return meet(call, async () => {
      const done = await reached(act);
      if (about !== undefined) ground.passed("outwritten", about, by);
      return done;
    });
  };
  const put = async (verb: string, manifest: Manifest, act: () => Promise<Found>): Promise<Found> =>
    await called(verb, refOf(manifest), true, async () => {
      const made = await act();
      ground.judge.landed(target, made);
      return made;
    });
  return {
    create: (manifest, options) => put("create", manifest, () => inner.create(manifest, options)),
    apply: (manifest, version) => put("apply", manifest, () => inner.apply(manifest, version)),
    annotate: (ref, seen, annotations) =>
      called("annotate", ref, true, async () => {
        const made = await inner.annotate(ref, seen, annotations);
        ground.judge.landed(target, made);
        return made;
      }),
    get: (ref) =>
      old(
        "get",
        ref,
        () => inner.get(ref),
        () => ground.past(target)?.get(ref),
      ),
    list: (query) =>
      old(
        "list",
        query,
        () => inner.list(query),
        () => ground.past(target)?.list(query),
      ),
    remove: (ref, seen) =>
      called("remove", ref, true, async () => {
        await inner.remove(ref, seen);
        ground.judge.erased(ref, target);
      }),
    async *watch(query, options) {
      await meet({ port: "watch", what: `watch ${query.kind}`, writes: false }, () => reached(async () => {}));
      for await (const seen of inner.watch(query, options)) {
        yield seen;
      }
    },
    ready: async (ms) => {
      try {
        return await called("ready", { kind: "" }, false, () => inner.ready(ms));
      } catch {
        return false;
      }
    },
    version: () => called("version", { kind: "" }, false, () => inner.version()),
    logs: (pod, options) => called("logs", { kind: "Pod", name: pod.name }, false, () => inner.logs(pod, options)),
    token: (account, options) =>
      called("token", { kind: "ServiceAccount", name: account.name }, true, () => inner.token(account, options)),
    review: (review) => called("review", { kind: review.kind }, false, () => inner.review(review)),
    pass: (asked) => called("pass", { kind: "" }, false, () => inner.pass(asked)),
  };

  /** A read that a lagging replica may answer. */
  function old<T>(verb: string, on: Ref | Query, act: () => Promise<T>, older: () => T | undefined): Promise<T> {
    const name = "name" in on ? on.name : "";
    const call: Call = { port: "kube", what: `${verb} ${on.kind} ${name}`, writes: false };
    return meet(call, () => reached(act), older);
  }
}
