import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { layout, ttlAttribute } from "#core/table/layout.ts";
import { prefixes } from "#functions/doors.ts";
import { type Graph, open, root } from "./graph.ts";
import { at, functionsOf, of, one, type Resource, rightsOf, routes, short } from "./read.ts";
import { rights } from "./rights.ts";

let opened: Awaited<ReturnType<typeof open>>;
let production: Graph;
let other: Graph;

beforeAll(async () => {
  opened = await open();
  production = await opened.graph("production");
  const inside = { BERTH_SUBNETS: "subnet-1,subnet-2", BERTH_GROUPS: "sg-1" };
  other = await opened.graph("test", { ...inside, BERTH_ALARMS: "arn:aws:sns:eu-central-1:123456789012:pager" });
}, 240_000);
afterAll(() => opened?.close());

test("sst.config.ts fits the types of SST's platform", () => opened.check());

test("nothing fails while the graph is made, and no two components share a name", () => {
  for (const graph of [production, other]) {
    expect(graph.failures).toEqual([]);
    const names = graph.resources
      .filter(({ type }) => /^sst:(aws:(Dynamo|Queue|Router|Function|CronV2)|sst:Linkable)$/.test(type))
      .map(({ name }) => name.toLowerCase());
    expect(new Set(names.filter((name) => !name.endsWith("handler"))).size).toBe(
      names.filter((name) => !name.endsWith("handler")).length,
    );
  }
});

test("it has exactly these resources", () => {
  const counts: Record<string, number> = {};
  for (const { type } of production.resources) {
    if (type.startsWith("aws:"))
      counts[type.split(":").slice(1).join(":")] = (counts[type.split(":").slice(1).join(":")] ?? 0) + 1;
  }
  expect(counts).toEqual({
    "dynamodb/table:Table": 1,
    "sqs/queue:Queue": 2,
    "kms/key:Key": 1,
    "lambda/function:Function": 8,
    "lambda/functionUrl:FunctionUrl": 2,
    "lambda/permission:Permission": 4,
    "lambda/eventSourceMapping:EventSourceMapping": 1,
    "lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": 4,
    "scheduler/schedule:Schedule": 4,
    "iam/role:Role": 12,
    "s3/bucketObjectv2:BucketObjectv2": 8,
    "s3/bucket:Bucket": 1,
    "s3/bucketCorsConfiguration:BucketCorsConfiguration": 1,
    "s3/bucketPolicy:BucketPolicy": 1,
    "s3/bucketPublicAccessBlock:BucketPublicAccessBlock": 1,
    "cloudwatch/logGroup:LogGroup": 8,
    "cloudwatch/metricAlarm:MetricAlarm": 18,
    "cloudfront/distribution:Distribution": 1,
    "cloudfront/function:Function": 1,
    "cloudfront/keyValueStore:KeyValueStore": 1,
    "cloudfront/cachePolicy:CachePolicy": 1,
  });
});

describe("the stores", () => {
  test("the table has the keys and indexes of core/table, to the letter", () => {
    const table = one(production, "aws:dynamodb/table:Table", "DataTable");
    const attributes = layout.AttributeDefinitions.map(({ AttributeName: name, AttributeType: type }) => ({
      name,
      type,
    }));
    expect(table["attributes"]).toEqual(attributes);
    expect([table["hashKey"], table["rangeKey"]]).toEqual(layout.KeySchema.map((key) => key.AttributeName));
    expect(table["globalSecondaryIndexes"]).toEqual(
      layout.GlobalSecondaryIndexes.map(({ IndexName: name, KeySchema: [hash, range], Projection }) => ({
        name,
        hashKey: hash.AttributeName,
        rangeKey: range.AttributeName,
        projectionType: Projection.ProjectionType,
        ...("NonKeyAttributes" in Projection && { nonKeyAttributes: [...Projection.NonKeyAttributes] }),
      })),
    );
    expect(table).toMatchObject({
      ttl: { enabled: true, attributeName: ttlAttribute },
      billingMode: layout.BillingMode,
      pointInTimeRecovery: { enabled: true },
      streamEnabled: true,
      streamViewType: "NEW_AND_OLD_IMAGES",
    });
  });

  test("production keeps what it has: table, key and app", () => {
    expect(one(production, "aws:dynamodb/table:Table", "DataTable")["deletionProtectionEnabled"]).toBe(true);
    expect(one(other, "aws:dynamodb/table:Table", "DataTable")["deletionProtectionEnabled"]).toBeFalsy();
    expect(production.app).toMatchObject({ removal: "retain", protect: true });
    expect(other.app).toMatchObject({ removal: "remove", protect: false });
    expect(one(production, "aws:kms/key:Key", "Key")).toMatchObject({
      enableKeyRotation: true,
      deletionWindowInDays: 30,
    });
  });

  test("a message is hidden six times as long as its function may take, and what fails five times is kept 14 days", () => {
    const jobs = one(production, "aws:sqs/queue:Queue", "JobsQueue");
    const timeout = Number(functionsOf(production)["Queue"]?.["timeout"]);
    expect(timeout).toBe(60);
    expect(jobs["visibilityTimeoutSeconds"]).toBeGreaterThanOrEqual(6 * timeout);
    expect(jobs["fifoQueue"]).toBe(false);
    expect(JSON.parse(String(jobs["redrivePolicy"])) as unknown).toMatchObject({ maxReceiveCount: 5 });
    expect(one(production, "aws:sqs/queue:Queue", "DeadQueue")["messageRetentionSeconds"]).toBe(14 * 24 * 3600);
    expect(of(production, "aws:lambda/eventSourceMapping:EventSourceMapping")[0]?.inputs).toMatchObject({
      batchSize: 1,
      functionResponseTypes: ["ReportBatchItemFailures"],
      scalingConfig: { maximumConcurrency: 16 },
    });
  });
});

describe("the functions", () => {
  test("each has its handler as a file that exports main, and is built in parts", () => {
    expect(Object.keys(functionsOf(production)).sort()).toEqual(Object.keys(rights).sort());
    for (const { handler, properties } of production.builds) {
      const file = join(root, `${handler.replace(/\.main$/, "")}.ts`);
      expect(existsSync(file), file).toBe(true);
      expect(readFileSync(file, "utf8")).toMatch(/^export const main\b/m);
      expect(properties).toMatchObject({
        splitting: true,
        plugins: "functions/bundle.mjs",
        esbuild: { keepNames: false },
      });
      expect(existsSync(join(root, String(properties["plugins"])))).toBe(true);
    }
  });

  test("each may do what is written down for it, and nothing else", () => {
    const granted = Object.fromEntries(
      of(production, "aws:iam/role:Role")
        .filter(({ inputs }) => JSON.stringify(inputs["managedPolicyArns"] ?? []).includes("AWSLambda"))
        .map(({ name, inputs }) => [short(name), rightsOf(inputs).sort()]),
    );
    expect(granted).toEqual(Object.fromEntries(Object.entries(rights).map(([name, all]) => [name, [...all].sort()])));
    expect(JSON.stringify(granted)).not.toMatch(/:\*/);
    for (const { inputs } of of(production, "aws:iam/role:Role"))
      for (const arn of (inputs["managedPolicyArns"] ?? []) as string[])
        expect(arn).toMatch(/service-role\/AWSLambdaBasicExecutionRole$/);
  });

  test("no link carries a secret: one says where all is, the others are rights alone", () => {
    for (const { links } of production.builds) {
      for (const [name, { type: _type, ...properties }] of Object.entries(links)) {
        expect(Object.keys(properties).sort()).toEqual(
          name === "Home" ? ["dead", "jobs", "key", "privateIssuers", "table", "tenant", "url"] : [],
        );
      }
      expect(links["Home"]).toBeDefined();
    }
  });

  test("those that speak to hosts stand in the network that is named, and no other does", () => {
    const within = Object.entries(functionsOf(other)).filter(([, inputs]) => inputs["vpcConfig"] !== undefined);
    expect(within.map(([name]) => name).sort()).toEqual(["Access", "Lap", "Queue", "Round", "Sweep"]);
    expect(JSON.stringify(functionsOf(production))).not.toContain("vpcConfig");
  });

  test("the clocks go each minute, ten minutes and hour, are not repeated, and end before the next", () => {
    const schedules = of(production, "aws:scheduler/schedule:Schedule").map(({ name, inputs }) => {
      expect(at(inputs, "target.retryPolicy")).toEqual({ maximumRetryAttempts: 0 });
      return [name.replace("Schedule", ""), inputs["scheduleExpression"]] as const;
    });
    const every = {
      Sweep: "rate(1 minute)",
      Lap: "rate(10 minutes)",
      Round: "rate(30 minutes)",
      Digest: "rate(1 minute)",
    };
    expect(Object.fromEntries(schedules)).toEqual(every);
    for (const name of Object.keys(every)) expect(functionsOf(production)[name]?.["timeout"]).toBe(50);
    for (const { inputs } of of(production, "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"))
      expect(inputs["maximumRetryAttempts"]).toBe(0);
  });
});

describe("the router", () => {
  test("streams, lets no other origin in, and waits a minute for an answer", () => {
    const urls = of(production, "aws:lambda/functionUrl:FunctionUrl");
    expect(urls.map(({ name }) => name).sort()).toEqual(["AccessUrl", "ApiUrl"]);
    for (const { inputs } of urls) {
      expect(inputs).toMatchObject({ invokeMode: "RESPONSE_STREAM", authorizationType: "NONE" });
      expect(inputs["cors"]).toBeUndefined();
    }
    for (const entry of routes(production).filter(({ door }) => door !== "site"))
      expect(at(entry.metadata, "origin.timeouts")).toMatchObject({ readTimeout: 60 });
  });

  test("goes by the same table of prefixes as the local server and the tests", () => {
    const found = Object.fromEntries(routes(production).map(({ path, door }) => [path, door]));
    expect(found).toEqual({ ...prefixes, "": "site" });
  });

  test("keeps no answer of the API, whoever asked", () => {
    const [distribution] = of(production, "aws:cloudfront/distribution:Distribution");
    const { orderedCacheBehaviors } = (distribution?.inputs ?? {}) as {
      orderedCacheBehaviors: { pathPattern: string; cachePolicyId: string }[];
    };
    // AWS's own policy CachingDisabled.
    expect(orderedCacheBehaviors.map(({ pathPattern, cachePolicyId }) => [pathPattern, cachePolicyId])).toEqual([
      ["/v1/*", "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"],
      ["/oidc/*", "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"],
    ]);
  });

  test("has edge code below the 10 kB that CloudFront takes", () => {
    const [edge] = of(production, "aws:cloudfront/function:Function");
    expect(Buffer.byteLength(String(edge?.inputs["code"]))).toBeLessThan(10_000);
  });
});

test("every alarm has its name, and tells the topic where there is one", () => {
  const names = ["Api", "Access", "Queue", "Sweep", "Lap", "Round", "Digest"];
  const wanted = ["DeadLetters", "QueueAge", "UnsealedAge", "Parked"];
  const all = [...wanted, ...names.flatMap((name) => [`${name}Errors`, `${name}Throttles`])].sort();
  const alarms = (graph: Graph): Resource[] => of(graph, "aws:cloudwatch/metricAlarm:MetricAlarm");
  expect(
    alarms(production)
      .map(({ name }) => name)
      .sort(),
  ).toEqual(all);
  for (const { inputs } of alarms(production)) expect(inputs["alarmActions"] ?? []).toEqual([]);
  for (const { inputs } of alarms(other)) expect(inputs["alarmActions"]).toHaveLength(1);
});
