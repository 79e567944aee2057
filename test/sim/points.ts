import { type FaultKind, kindsOf } from "./fault.ts";
import type { Job } from "./jobs.ts";
import { type Run, simulate } from "./run.ts";

/** Each job, and what is done before it so that it has something to do. */
export const scripts: { job: Job; before: Job[] }[] = [
  { job: "create", before: [] },
  { job: "update", before: ["create"] },
  { job: "remove", before: ["create"] },
  { job: "swap", before: ["create"] },
  { job: "access", before: ["create"] },
  { job: "token", before: [] },
  { job: "rotate", before: ["token"] },
  { job: "revoke", before: ["token"] },
  { job: "join", before: ["create"] },
  { job: "suspend", before: ["join"] },
  { job: "leave", before: ["join"] },
  { job: "stranger", before: ["create"] },
  { job: "limit", before: ["create"] },
  { job: "close", before: ["token"] },
  { job: "look", before: ["create"] },
  { job: "twins", before: ["create"] },
  { job: "rush", before: ["token"] },
  { job: "move", before: ["create"] },
  { job: "grant", before: ["create", "place"] },
  { job: "ungrant", before: ["create", "place", "grant"] },
  { job: "team", before: ["create", "team", "grant"] },
  { job: "leave", before: ["create", "join", "grant", "grant"] },
  { job: "place", before: ["create", "grant"] },
  { job: "move place", before: ["create", "place"] },
  { job: "unplace", before: ["create", "place", "grant"] },
];

export interface Point {
  job: Job;
  before: Job[];
  key: string;
  kind: FaultKind;
  workers: number;
}

const seed = 1;

/** Every call of a job's clean run, with each fault that it can meet. */
export async function pointsOf({ job, before }: (typeof scripts)[number], workers: number): Promise<Point[]> {
  const points: Point[] = [];
  const script = {
    before,
    job,
    decide: (key: string, call: Parameters<typeof kindsOf>[0]): undefined => {
      points.push(...kindsOf(call).map((kind) => ({ job, before, key, kind, workers })));
      return undefined;
    },
  };
  const clean = await simulate(seed, { script, workers });
  if (clean.broken.length > 0) throw new Error(`${job} without a fault: ${JSON.stringify(clean.broken[0])}`);
  return points;
}

/** The job once more, with one fault at one call. */
export const strike = ({ job, before, key, kind, workers }: Point, keep = false): Promise<Run> =>
  simulate(seed, { keep, workers, script: { before, job, decide: (at) => (at === key ? kind : undefined) } });
