import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { Agent, request as ask } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { newID } from "#core/id.ts";
import { tenantKind } from "#core/tenant/schema.ts";
import type { Deps } from "#functions/deps.ts";
import { open } from "#functions/wire.ts";
import { createTable, localClient } from "../../local/table.ts";
import { startTable } from "../contract/wire.ts";
import { newRow } from "../world/host.ts";
import { newDoors, newTenant, type Person } from "../world/people.ts";
import { newCountedHome, total } from "./counted.ts";
import { type Figure, median } from "./figures.ts";
import type { Said, Served } from "./served.ts";

const rounds = Number(process.env["BERTH_BENCH_RUNS"] ?? "6");
const seconds = 5;
const atOnce = 8;
const perSample = 2_000;
/** The most that a tenant may be given: it is counted, and refuses nothing here. */
const requestsPerSecond = 10_000;

/**
 * GET of one cluster with all checks, over bare Hono doing the same read of the same DynamoDB Local: each in a process
 * of its own under @hono/node-server, asked over HTTP by this one. Beside it the calls to the table, counted at the
 * wire, and the CPU that a request costs more than a bare one when the table's answers come from memory.
 */
export async function request(tell: (line: string) => void): Promise<Figure> {
  const calls = await counted(tell);
  tell(`store calls: ${JSON.stringify(calls)}`);
  const folder = mkdtempSync(join(tmpdir(), "berth-request-"));
  const table = await startTable();
  const children: ChildProcess[] = [];
  const samples: Record<string, number[]> = { ...calls };
  const keep = (name: string, value: number): void => void (samples[name] ??= []).push(value);
  try {
    const served = await prepare(table.endpoint, folder);
    const start = async (form: string): Promise<{ child: ChildProcess; port: number }> => {
      const file = fileURLToPath(new URL("served.ts", import.meta.url));
      const child = fork(file, [form], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
      children.push(child);
      child.send(served);
      const said = (await heard(child)) as { port: number };
      return { child, port: said.port };
    };
    const [berth, bare] = [await start("berth"), await start("bare")];
    const measure = async (name: string, { child, port }: typeof berth, seconds: number, kept = true) => {
      const before = cpuOf(child);
      const { each, milliseconds } = await load(port, served, seconds);
      const cpu = ((cpuOf(child) - before) * 1_000_000) / each;
      tell(`${name}: ${(each / milliseconds) * 1000} requests per second, ${cpu.toFixed(0)} µs of CPU in the server`);
      if (!kept) return;
      keep(`${name}, requests per second`, (each / milliseconds) * 1000);
      keep(`${name}, CPU of the server in µs per request`, cpu);
    };
    // What is compiled at first use is not what is measured.
    for (const [name, each] of [
      ["berth", berth],
      ["bare", bare],
    ] as const)
      await measure(name, each, 4, false);
    for (let round = 0; round < rounds; round += 1) {
      const order = [
        ["berth", berth],
        ["bare", bare],
      ] as const;
      for (const [name, each] of round % 2 === 0 ? order : order.toReversed()) await measure(name, each, seconds);
    }
    for (const child of children) child.disconnect();
    const alone = (await start("alone")).child;
    for (let round = 0; round < rounds; round += 1) {
      alone.send(perSample);
      const took = (await heard(alone)) as { berth: number; bare: number };
      tell(`stubbed: ${JSON.stringify(took)}`);
      for (const name of ["berth", "bare"] as const) keep(`${name}, µs of CPU with the store stubbed`, took[name]);
    }
    const ended = once(alone, "exit");
    alone.disconnect();
    await ended;
  } finally {
    for (const child of children) child.kill("SIGKILL");
    await table.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  const of = (name: string): number[] => samples[name] ?? [];
  const pairs = of("berth, requests per second").map((all, i) => all / (of("bare, requests per second")[i] ?? 0));
  const added = of("berth, µs of CPU with the store stubbed").map(
    (all, i) => all - (of("bare, µs of CPU with the store stubbed")[i] ?? 0),
  );
  samples["ratio of each pair"] = pairs;
  samples["µs of CPU added"] = added;
  const notes = [
    `CPU added with the store stubbed: ${median(added).toFixed(0)} µs per request`,
    `store calls: ${of("store calls, warm").join()} warm, ${of("store calls, cold").join()} cold; the hour's first request of a token writes its last use besides`,
    `${atOnce} connections; the asking process and the table share the machine's cores with the server`,
  ];
  return { name: "request", value: median(pairs), unit: "ratio", samples, notes };
}

/** What one request asks of the table: with the token known, and eleven seconds later, when it is read again. */
async function counted(tell: (line: string) => void): Promise<Record<string, number[]>> {
  const home = await newCountedHome(tell);
  try {
    let ahead = 0;
    const deps: Deps = { ...home.deps, now: () => new Date(Date.now() + ahead).toISOString() };
    const { owner, path } = await people(deps);
    const get = async (): Promise<number> => {
      const counts = await home.count(async () => {
        const { status, text } = await owner.get(path);
        if (status !== 200) throw new Error(text);
      });
      return total(counts);
    };
    await get();
    const calls: Record<string, number[]> = {};
    for (let run = 0; run < 3; run += 1) {
      ahead += 11_000;
      (calls["store calls, cold"] ??= []).push(await get());
      (calls["store calls, warm"] ??= []).push(await get());
    }
    return calls;
  } finally {
    await home.stop();
  }
}

async function prepare(endpoint: string, folder: string): Promise<Served> {
  await createTable(endpoint, "berth");
  const { region, credentials } = localClient(endpoint);
  // Nothing is sent to this queue: a lost poke is told of, and that is all.
  const queue = { url: "http://127.0.0.1:9/queue", deadURL: "http://127.0.0.1:9/dead", endpoint: "http://127.0.0.1:9" };
  const settings = {
    homeTenant: "tnt_01k0000000000000000000h0me" as const,
    url: "https://berth.internal",
    region,
    credentials,
    table: { name: "berth", endpoint },
    queue,
    key: { file: join(folder, "key") },
  };
  const opened = open(settings);
  const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined };
  const home = { ...opened.home, poke: () => Promise.resolve() };
  const { owner, path } = await people({ ...opened, home, log: quiet, meter: { count: () => undefined } });
  opened.close();
  return { settings, tenant: owner.tenant, token: owner.text, path };
}

/** An owner with one cluster in its first state. */
async function people(deps: Deps): Promise<{ owner: Person; path: string }> {
  await newRow(deps);
  const owner = await newTenant({ deps, doors: newDoors(deps) }, `bench-${newID(deps, "tenant").slice(-8)}`);
  await deps.home.table(owner.tenant).edit(tenantKind, owner.tenant, { set: { limits: { requestsPerSecond } } });
  const { status, body, text } = await owner.post("/v1/clusters", { name: "red" });
  if (status !== 201) throw new Error(text);
  return { owner, path: `/v1/clusters/${String(body["id"])}` };
}

/** The next thing that a child says. @throws Error when it ends instead. */
async function heard(child: ChildProcess): Promise<Said> {
  const [said] = (await Promise.race([
    once(child, "message"),
    once(child, "exit").then(() => Promise.reject(new Error("the serving process ended"))),
  ])) as [Said];
  return said;
}

/** Asks over kept connections, each as soon as it is answered. */
async function load(port: number, { path, token }: Served, seconds: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce });
  const headers = { Authorization: `Bearer ${token}` };
  const since = performance.now();
  const until = since + seconds * 1000;
  let each = 0;
  const one = (): Promise<void> =>
    new Promise((resolve, reject) => {
      ask({ host: "127.0.0.1", port, path, headers, agent }, (answer) => {
        answer.resume().once("end", () => {
          each += 1;
          if (answer.statusCode === 200) resolve();
          else reject(new Error(`answered ${answer.statusCode}`));
        });
      })
        .once("error", reject)
        .end();
    });
  const asking = async (): Promise<void> => {
    while (performance.now() < until) await one();
  };
  await Promise.all(Array.from({ length: atOnce }, asking));
  const milliseconds = performance.now() - since;
  agent.destroy();
  return { each, milliseconds };
}

/** Seconds of CPU of a process so far; the kernel counts in hundredths. */
function cpuOf({ pid }: ChildProcess): number {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
