/** Runs what it is given, in the order in which it came. */
export type Lane = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * A lane that so many go along at once; the others wait. Without one, a team that loses its rights would open thousands
 * of connections to a cluster in one breath, which a process may not, and lose them slower for it.
 */
export function newLane(width: number): Lane {
  let free = width;
  let first = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => void waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting[first];
      if (next === undefined) free += 1;
      else {
        first += 1;
        next();
      }
    }
  };
}
