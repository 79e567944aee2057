import { Metrics } from "@aws-lambda-powertools/metrics";

/** Everything that is counted. `docs/deploy.md` says what each tells. */
export const metrics = [
  /** How long a message waited in the queue before a function had it, in seconds. */
  "QueueAge",
  /** Passes of the engine, by outcome. */
  "Passes",
  /** Rows that failed too often and wait for a person, up to 100. */
  "Parked",
  /** How long a step of making a cluster took, by condition, in seconds. */
  "StepSeconds",
  /** Rows that one sweep poked. */
  "Poked",
  /** Clusters that one lap saw, and those that were not as last seen. */
  "LapClusters",
  "LapDifferences",
  /** Age of the oldest audit entry that no digest holds, in seconds. */
  "UnsealedAge",
] as const;
export type Metric = (typeof metrics)[number];
export type Unit = "Count" | "Seconds";

/** Counts. What is counted may be told apart by one short label; never by an id, as each value costs money. */
export interface Meter {
  count(name: Metric, value: number, unit: Unit, label?: string): void;
}

/** The name under which a metric's label stands. */
const labels: Partial<Record<Metric, string>> = { Passes: "outcome", StepSeconds: "step" };

/**
 * Metrics as lines on stdout, in CloudWatch's embedded format, under namespace `Berth`: no call, and nothing to flush.
 */
export function newMeter(service: string): Meter {
  const all = new Metrics({ namespace: "Berth", serviceName: service });
  return {
    count(name, value, unit, label) {
      const dimension = labels[name];
      if (label !== undefined && dimension !== undefined) all.addDimension(dimension, label);
      all.addMetric(name, unit, value);
      // At once, so that labels of two metrics never meet, and a process that is frozen owes nothing.
      all.publishStoredMetrics();
    },
  };
}
