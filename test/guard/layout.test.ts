import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { bare, circles, homeless, imports, impure, long, nameless, strange, type Source } from "./rules.ts";

/** Longer than 250 lines, and why: a list that is one thing, or a machine that is read as a whole. */
const mayBeLong: Record<string, string> = {
  "test/core/kube/client.test.ts": "one played server and all that it can say; the parts share it",
};

const root = join(import.meta.dirname, "..", "..");
const sources: Source[] = ["core", "functions", "cli", "local", "web", "test"].flatMap(walk);

function walk(folder: string): Source[] {
  let entries;
  try {
    entries = readdirSync(join(root, folder), { withFileTypes: true });
  } catch {
    // A folder that is not there yet has nothing to hold.
    return [];
  }
  return entries.flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return entry.name === "node_modules" || entry.name === "dist" ? [] : walk(path);
    return /\.(ts|tsx|mjs)$/.test(entry.name) ? [{ path, text: readFileSync(join(root, path), "utf8") }] : [];
  });
}

const one = (path: string, text: string): Source => ({ path, text });
const verdict = (path: string, text: string): string[] =>
  imports(one(path, text))
    .map(strange)
    .filter((each) => each !== undefined);

describe("the tree", () => {
  const all = sources.flatMap(imports);

  test("there is a tree to hold", () => {
    expect(sources.length).toBeGreaterThan(20);
    expect(all.length).toBeGreaterThan(50);
  });
  test("every import goes in the direction of the design", () => {
    expect(all.map(strange).filter((each) => each !== undefined)).toEqual([]);
  });
  test("nouns know each other in no circle", () => {
    expect(circles(all)).toEqual([]);
  });
  test("what spans tenants is touched where it may be", () => {
    expect(sources.flatMap(homeless)).toEqual([]);
  });
  test("core takes time and chance from the context", () => {
    expect(sources.flatMap(impure)).toEqual([]);
  });
  test("every name says something", () => {
    expect(sources.map(({ path }) => nameless(path)).filter((each) => each !== undefined)).toEqual([]);
  });
  test("no file is too long without a reason", () => {
    expect(sources.map((each) => long(each, mayBeLong)).filter((each) => each !== undefined)).toEqual([]);
  });
  test("every exception still is one", () => {
    expect(
      Object.keys(mayBeLong).filter((path) => !sources.some((each) => each.path === path && long(each, {}))),
    ).toEqual([]);
  });
});

describe("the guard sees a stranger", () => {
  test.each([
    ["a noun that knows DynamoDB", "core/cluster/store.ts", `import { GetCommand } from "@aws-sdk/lib-dynamodb";`],
    ["a noun that knows SQS", "core/cluster/verbs.ts", `import { SQSClient } from "@aws-sdk/client-sqs";`],
    ["a table that knows SQS", "core/table/send.ts", `import { SQSClient } from "@aws-sdk/client-sqs";`],
    [
      "a noun that knows the Kubernetes client",
      "core/host/verbs.ts",
      `import type { V1Pod } from "@kubernetes/client-node";`,
    ],
    ["a lazy import of it", "core/host/verbs.ts", `const kube = await import("@kubernetes/client-node");`],
    ["KMS outside of seal", "core/table/read.ts", `import { KMSClient } from "@aws-sdk/client-kms";`],
    ["EC2 outside of cloud", "core/kube/wire.ts", `import { EC2Client } from "@aws-sdk/client-ec2";`],
    ["HTTP in core", "core/cluster/verbs.ts", `import { Hono } from "hono";`],
    ["HTTP in the queue's function", "functions/queue/main.ts", `import { Hono } from "hono";`],
    ["the server's package in the command", "cli/main.ts", `import { serve } from "@hono/node-server";`],
    ["SST outside of the wire", "functions/api/main.ts", `import { Resource } from "sst";`],
    ["core that knows functions", "core/cluster/verbs.ts", `import { app } from "#functions/api/app.ts";`],
    ["functions that know local", "functions/api/app.ts", `import { state } from "../../local/state.ts";`],
    ["a command that knows core", "cli/main.ts", `import { Fault } from "#core/error.ts";`],
    ["a command that knows core's types", "cli/main.ts", `import type { View } from "../core/cluster/schema.ts";`],
    ["a command that runs functions", "cli/main.ts", `import { app } from "../functions/api/app.ts";`],
    ["code that knows a test", "local/main.ts", `import { world } from "../test/world/world.ts";`],
    ["a noun in by another's window", "core/cluster/verbs.ts", `import { find } from "../host/store.ts";`],
    [
      "the same over several lines",
      "core/cluster/verbs.ts",
      `import {\n  find,\n  type Host,\n} from "../host/store.ts";`,
    ],
    ["the same passed on", "core/cluster/index.ts", `export * from "../host/store.ts";`],
    ["the same for its effect", "core/cluster/index.ts", `import "../host/store.ts";`],
    ["a tool that knows a noun", "core/table/read.ts", `import type { View } from "../cluster/index.ts";`],
    ["a tool that knows another tool", "core/kube/client.ts", `import { newKey } from "../pki/index.ts";`],
    ["a root file that knows a room", "core/settle.ts", `import { find } from "./cluster/index.ts";`],
  ])("%s", (_what, path, text) => {
    expect(verdict(path, text)).toHaveLength(1);
  });

  test("in a circle of three nouns, once", () => {
    const all = [
      one("core/a/verbs.ts", `import * as B from "../b/index.ts";`),
      one("core/b/verbs.ts", `import * as C from "#core/c/index.ts";`),
      one("core/c/home.ts", `import * as A from "../a/home.ts";`),
      one("core/d/verbs.ts", `import * as A from "../a/index.ts";`),
    ];
    expect(circles(all.flatMap(imports))).toEqual(["a > b > c > a"]);
  });

  test("that touches what spans tenants", () => {
    const reach = "await ctx.home.poke(tenant, id);";
    for (const path of ["core/cluster/verbs.ts", "functions/api/cluster.ts", "functions/queue/main2.ts"]) {
      expect(homeless(one(path, reach))).toHaveLength(1);
    }
    expect(homeless(one("core/cluster/verbs.ts", "const { home } = ctx;"))).toHaveLength(1);
    for (const path of ["core/cluster/home.ts", "functions/cron/sweep.ts", "functions/api/home.ts"]) {
      expect(homeless(one(path, reach))).toEqual([]);
    }
  });

  test("that takes time or chance from the globals, outside of tool rooms", () => {
    for (const text of ["Date.now()", "Math.random()", "new Date()", "setTimeout(go, 5)", "randomUUID()"]) {
      expect(impure(one("core/cluster/plan.ts", `const x = ${text};`))).toHaveLength(1);
      expect(impure(one("core/settle.ts", `const x = ${text};`))).toHaveLength(1);
      expect(impure(one("core/kube/watch.ts", `const x = ${text};`))).toEqual([]);
    }
    expect(impure(one("core/cluster/plan.ts", "new Date(ctx.now()); // never Date.now()"))).toEqual([]);
  });

  test("with a name that says nothing, or that is too long", () => {
    for (const path of [
      "core/util/x.ts",
      "core/cluster/utils.ts",
      "local/lib/a.mjs",
      "cli/helpers.ts",
      "web/shared/a.tsx",
    ]) {
      expect(nameless(path)).toBeDefined();
    }
    for (const path of ["core/cluster/plan.ts", "cli/library.ts"]) expect(nameless(path)).toBeUndefined();
    const text = "x\n".repeat(251);
    expect(long(one("core/a.ts", text), {})).toBeDefined();
    expect(long(one("core/a.ts", text), { "core/a.ts": "one list" })).toBeUndefined();
    expect(long(one("core/a.ts", "x\n".repeat(250)), {})).toBeUndefined();
  });
});

describe("the guard lets pass", () => {
  test.each([
    ["functions/api/cluster.ts", `import * as Cluster from "#core/cluster/index.ts";`],
    ["core/cluster/verbs.ts", `import * as Host from "../host/home.ts";`],
    ["core/cluster/verbs.ts", `import { newKey } from "../pki/index.ts";`],
    ["core/table/read.ts", `import type { Table } from "../context.ts";`],
    ["core/context.ts", `import type { Role } from "./role.ts";`],
    ["cli/shape.ts", `import type { Api } from "../functions/api/app.ts";`],
    ["local/queue.ts", `import { SQSClient } from "@aws-sdk/client-sqs";`],
    ["functions/wire.ts", `import { Resource } from "sst";`],
  ])("%s: %s", (path, text) => {
    expect(verdict(path, text)).toEqual([]);
  });

  test("what only a comment or a text says", () => {
    expect(bare("a; // import x from 'sst'\n/* b */ c")).not.toMatch(/sst|b/);
    expect(bare(`const url = "https://a.example";`)).toContain("a.example");
  });
});
