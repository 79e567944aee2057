// The only file that reads the environment. Everything else gets what it stands on.
import { setTimeout } from "node:timers/promises";
import { Resource } from "sst";
import * as z from "zod";
import type { Home } from "#core/context.ts";
import { idOf } from "#core/id.ts";
import type { Queue } from "#core/queue/index.ts";
import { openTable } from "#core/table/index.ts";
import type { Deps } from "./deps.ts";
import { newLog } from "./log.ts";
import { newMeter } from "./metric.ts";

const Credentials = z.object({ accessKeyId: z.string(), secretAccessKey: z.string() });

/** Where everything is. In the cloud sst.config.ts links it; `local` passes it. */
export const Settings = z.object({
  /** The platform's own tenant. */
  homeTenant: idOf("tenant"),
  /** Where home is reached, without a slash at the end: the root of every cluster's issuer. */
  url: z.url({ protocol: /^https?$/ }).refine((url) => !url.endsWith("/"), "must not end with a slash"),
  /** Hosts and CIDRs that are not public, and at which identity providers may nevertheless be; left out, none. */
  privateIssuers: z.array(z.string()).optional(),
  /** Where people reach home, where that is another: links to them lead there. */
  site: z.url({ protocol: /^https?$/ }).optional(),
  region: z.string(),
  table: z.object({ name: z.string(), endpoint: z.url().optional() }),
  queue: z.object({ url: z.url(), deadURL: z.url(), endpoint: z.url().optional() }),
  /** The key under which secrets are sealed: a file's, or one of AWS's key service. */
  key: z.union([
    z.strictObject({ file: z.string() }),
    z.strictObject({ kms: z.string(), endpoint: z.url().optional() }),
  ]),
  /** Left out, those that the surroundings give. */
  credentials: Credentials.optional(),
});
export type Settings = z.output<typeof Settings>;

/** All that a process needs, opened once; nothing is asked of anyone before first use. */
export function open(settings: Settings): Deps & { close(): void } {
  const { region, credentials } = settings;
  const log = newLog("berth");
  const now = (): string => new Date().toISOString();
  const tables = openTable({
    tableName: settings.table.name,
    now,
    client: {
      region,
      ...(settings.table.endpoint !== undefined && { endpoint: settings.table.endpoint }),
      ...(credentials && { credentials }),
    },
  });
  let opened: Promise<Queue> | undefined;
  // Loaded at the first poke: most requests read, and need no queue.
  const queue = (): Promise<Queue> =>
    (opened ??= import("#core/queue/index.ts").then(({ openQueue }) =>
      openQueue({
        url: settings.queue.url,
        deadURL: settings.queue.deadURL,
        region,
        log,
        ...(settings.queue.endpoint !== undefined && { endpoint: settings.queue.endpoint }),
        ...(credentials && { credentials }),
      }),
    ));
  // One object for the life of the process: what is cached is cached per home.
  const home: Home = {
    tenant: settings.homeTenant,
    url: settings.url,
    ...(settings.site !== undefined && { site: settings.site }),
    ...(settings.privateIssuers && { privateIssuers: settings.privateIssuers }),
    table: (tenant) => tables.table(tenant),
    due: (shard, before, page) => tables.due(shard, before, page),
    parked: (page) => tables.parked(page),
    unsealed: (shard, before, page) => tables.unsealed(shard, before, page),
    carried: (host, page) => tables.carried(host, page),
    poke: async (tenant, id) => (await queue()).poke(tenant, id),
    letters: async (limit) => (await queue()).letters(limit),
    redrive: async (limit) => (await queue()).redrive(limit),
  };
  let tools: ReturnType<Deps["tools"]> | undefined;
  return {
    home,
    log,
    now,
    random: pooled(),
    meter: newMeter("berth"),
    sleep: async (ms, signal) => {
      // An abort ends the sleep early, which is not a failure.
      await setTimeout(ms, undefined, signal && { signal }).catch(() => undefined);
    },
    tools: () => (tools ??= openTools(settings)),
    bury: async (body, reason) => (await queue()).bury(body, reason),
    close: () => {
      tables.close();
      void opened?.then((each) => each.close());
    },
  };
}

/** Chance is asked for by the kilobyte: each request needs 16 bytes, and asking costs more than they do. */
function pooled(): Deps["random"] {
  const pool = new Uint8Array(4_096);
  let used = pool.length;
  return (bytes) => {
    if (bytes > pool.length) return crypto.getRandomValues(new Uint8Array(bytes));
    if (used + bytes > pool.length) {
      crypto.getRandomValues(pool);
      used = 0;
    }
    used += bytes;
    // A copy, so that what was given is nobody else's; and what is left behind is wiped.
    const given = pool.slice(used - bytes, used);
    pool.fill(0, used - bytes, used);
    return given;
  };
}

/** What sst.config.ts links to every function: where all is, and no right to any of it. */
const Linked = z.object({
  tenant: idOf("tenant"),
  url: z.string(),
  table: z.string(),
  jobs: z.url(),
  dead: z.url(),
  key: z.string(),
  /** Separated by commas. */
  privateIssuers: z.string().default(""),
});

/** Settings from what is linked. @param linked the link `Home`. */
export function settingsOf(linked: unknown, region: string): Settings {
  const { tenant, url, table, jobs, dead, key, privateIssuers } = Linked.parse(linked);
  return Settings.parse({
    homeTenant: tenant,
    url: url.replace(/\/$/, ""),
    region,
    table: { name: table },
    queue: { url: jobs, deadURL: dead },
    key: { kms: key },
    privateIssuers: privateIssuers.split(",").filter((each) => each !== ""),
  });
}

/** This process's own: `BERTH_SETTINGS` (the JSON of `Settings`) where that is set, else what SST links. */
export const live = (): Deps => (opened ??= open(settings()));
let opened: Deps | undefined;

function settings(): Settings {
  const { BERTH_SETTINGS: text, AWS_REGION: region = "" } = process.env;
  if (text !== undefined) return Settings.parse(JSON.parse(text));
  return settingsOf((Resource as unknown as Record<string, unknown>)["Home"], region);
}

async function openTools({ key, region, credentials }: Settings): ReturnType<Deps["tools"]> {
  // Loaded at first need: it is a third of a second that requests without Kubernetes need not pay.
  const [{ newKubes }, { fileKeyring, kmsKeyring, openSeal }] = await Promise.all([
    import("#core/kube/index.ts"),
    import("#core/seal/index.ts"),
  ]);
  if ("file" in key) return { kube: newKubes(), seal: openSeal(fileKeyring(key.file)) };
  const { kms, endpoint } = key;
  const keyring = kmsKeyring({ key: kms, region, ...(endpoint && { endpoint }), ...(credentials && { credentials }) });
  return { kube: newKubes(), seal: openSeal(keyring) };
}
