import type { Context, Home } from "../context.ts";

/** What a process keeps by key, for each home by itself. */
export interface Kept<T> {
  get(ctx: Pick<Context, "home">, key: string): T | undefined;
  keep(ctx: Pick<Context, "home">, key: string, value: T): void;
  /** @param value left out, whatever is kept. */
  drop(ctx: Pick<Context, "home">, key: string, value?: T): void;
}

const keptMax = 1_000;

/** Bounded, so that many callers can't fill the memory: what was kept the longest goes first. Keys begin with a tenant. */
export function newKept<T>(): Kept<T> {
  const homes = new WeakMap<Home, Map<string, T>>();
  const of = ({ home }: Pick<Context, "home">): Map<string, T> => {
    const kept = homes.get(home) ?? new Map<string, T>();
    homes.set(home, kept);
    return kept;
  };
  return {
    get: (ctx, key) => of(ctx).get(key),
    keep(ctx, key, value) {
      const kept = of(ctx);
      kept.delete(key);
      kept.set(key, value);
      const oldest = kept.size > keptMax ? kept.keys().next().value : undefined;
      if (oldest !== undefined) kept.delete(oldest);
    },
    drop(ctx, key, value) {
      const kept = of(ctx);
      if (value === undefined || kept.get(key) === value) kept.delete(key);
    },
  };
}
