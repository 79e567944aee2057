import * as z from "zod";

export const states = ["preview", "supported", "deprecated", "expired"] as const;

/** One exact version that Berth knows how to run, with the etcd that goes with it. */
export const Entry = z.object({
  /** Exact, without `v`, such as `1.34.4`. */
  version: z.string(),
  etcd: z.string(),
  /** Berth's own word on it: new clusters may be made of any but `expired`; only `supported` is a default. */
  state: z.enum(states),
  /** The day of its minor's first release, `YYYY-MM-DD`. */
  releasedOn: z.iso.date(),
  /** The day on which the Kubernetes project ends this minor; Berth's state may lag or lead it. */
  upstreamEndsOn: z.iso.date(),
});
export type Entry = z.output<typeof Entry>;

/** What a caller sees of a version. */
export const View = Entry.extend({
  /** Regions with a host that can run it now. */
  regions: z.array(z.string()),
});
export type View = z.output<typeof View>;
