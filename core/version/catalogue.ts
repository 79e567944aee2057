import type { Entry } from "./schema.ts";

type Minor = Pick<Entry, "state" | "releasedOn" | "upstreamEndsOn"> & {
  minor: string;
  patches: Pick<Entry, "version" | "etcd">[];
};

/**
 * All that Berth knows of, oldest first; an expired minor stays, so that whoever asks for it learns why not.
 * States are data and change with a release of Berth, never with the clock: a cluster that could be made
 * yesterday can be made today. Dates are those of kubernetes.io/releases.
 * etcd goes at most one minor at a time, so neighbours never differ by more.
 */
const minors: readonly Minor[] = [
  { minor: "1.32", state: "expired", releasedOn: "2024-12-11", upstreamEndsOn: "2026-02-28", patches: [] },
  {
    minor: "1.33",
    state: "deprecated",
    releasedOn: "2025-04-23",
    upstreamEndsOn: "2026-06-28",
    patches: [{ version: "1.33.13", etcd: "3.5.35" }],
  },
  {
    minor: "1.34",
    state: "supported",
    releasedOn: "2025-08-27",
    upstreamEndsOn: "2026-10-27",
    patches: [{ version: "1.34.4", etcd: "3.6.16" }],
  },
  {
    minor: "1.35",
    state: "supported",
    releasedOn: "2025-12-17",
    upstreamEndsOn: "2027-02-28",
    patches: [{ version: "1.35.4", etcd: "3.6.16" }],
  },
  {
    minor: "1.36",
    state: "preview",
    releasedOn: "2026-04-22",
    upstreamEndsOn: "2027-06-28",
    patches: [{ version: "1.36.3", etcd: "3.7.3" }],
  },
];

/** The catalogue, oldest first. */
export const entries: readonly Entry[] = minors.flatMap(({ minor: _, patches, ...rest }) =>
  patches.map((patch) => ({ ...patch, ...rest })),
);

/** The minors that can't be had any more, with the day on which upstream ended them. */
export const expired: ReadonlyMap<string, string> = new Map(
  minors.filter(({ state }) => state === "expired").map(({ minor, upstreamEndsOn }) => [minor, upstreamEndsOn]),
);
