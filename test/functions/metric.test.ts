import { afterEach, expect, test, vi } from "vitest";
import { newMeter } from "#functions/metric.ts";

afterEach(() => vi.restoreAllMocks());

interface Line {
  _aws: { CloudWatchMetrics: { Dimensions: string[][] }[] };
  [field: string]: unknown;
}

function counted(work: (meter: ReturnType<typeof newMeter>) => void): Line[] {
  const lines: string[] = [];
  vi.spyOn(process.stdout, "write").mockImplementation((line) => lines.push(String(line)) > 0);
  work(newMeter("berth"));
  vi.restoreAllMocks();
  return lines.map((line) => JSON.parse(line) as Line);
}

test("a metric is one line in CloudWatch's format, at once, under the name that alarms look for", () => {
  const [line] = counted((meter) => meter.count("UnsealedAge", 12, "Seconds"));
  expect(line).toMatchObject({ service: "berth", UnsealedAge: 12 });
  expect(line?._aws.CloudWatchMetrics).toEqual([
    { Namespace: "Berth", Dimensions: [["service"]], Metrics: [{ Name: "UnsealedAge", Unit: "Seconds" }] },
  ]);
});

test("a label is of its own metric alone", () => {
  const lines = counted((meter) => {
    meter.count("Passes", 1, "Count", "settled");
    meter.count("Parked", 0, "Count", "a label that it does not have");
  });
  expect(lines).toHaveLength(2);
  expect(lines[0]).toMatchObject({ outcome: "settled", Passes: 1 });
  expect(lines[1]?._aws.CloudWatchMetrics[0]?.Dimensions).toEqual([["service"]]);
  expect(JSON.stringify(lines[1])).not.toMatch(/outcome|a label/);
});
