// The only file that reads the environment. Everything else gets what it stands on.
import { setTimeout } from "node:timers/promises";
import * as z from "zod";
import type { Home } from "#core/context.ts";
import { idOf } from "#core/id.ts";
import { openQueue } from "#core/queue/index.ts";
import { fileKeyring, openSeal } from "#core/seal/index.ts";
import { openTable } from "#core/table/index.ts";
import type { Deps } from "./deps.ts";
import { newLog } from "./log.ts";

const Credentials = z.object({ accessKeyId: z.string(), secretAccessKey: z.string() });

/** Where everything is. In the cloud it comes from the environment; `local` passes it. */
export const Settings = z.object({
  /** The platform's own tenant. */
  homeTenant: idOf("tenant"),
  /** Where home is reached, without a slash at the end: the root of every cluster's issuer. */
  url: z.url({ protocol: /^https?$/ }).refine((url) => !url.endsWith("/"), "must not end with a slash"),
  region: z.string(),
  table: z.object({ name: z.string(), endpoint: z.url().optional() }),
  queue: z.object({ url: z.url(), deadURL: z.url(), endpoint: z.url().optional() }),
  /** The file of the key under which secrets are sealed. */
  keyFile: z.string(),
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
  const queue = openQueue({
    url: settings.queue.url,
    deadURL: settings.queue.deadURL,
    region,
    log,
    ...(settings.queue.endpoint !== undefined && { endpoint: settings.queue.endpoint }),
    ...(credentials && { credentials }),
  });
  // One object for the life of the process: what is cached is cached per home.
  const home: Home = {
    tenant: settings.homeTenant,
    url: settings.url,
    table: (tenant) => tables.table(tenant),
    due: (shard, before, page) => tables.due(shard, before, page),
    poke: (tenant, id) => queue.poke(tenant, id),
  };
  let tools: ReturnType<Deps["tools"]> | undefined;
  return {
    home,
    log,
    now,
    random: (bytes) => crypto.getRandomValues(new Uint8Array(bytes)),
    sleep: async (ms, signal) => {
      // An abort ends the sleep early, which is not a failure.
      await setTimeout(ms, undefined, signal && { signal }).catch(() => undefined);
    },
    tools: () => (tools ??= openTools(settings)),
    bury: (body, reason) => queue.bury(body, reason),
    close: () => {
      tables.close();
      queue.close();
    },
  };
}

/** This process's own, from the environment: `BERTH_SETTINGS` is the JSON of `Settings`. */
export const live = (): Deps => (opened ??= open(Settings.parse(JSON.parse(process.env["BERTH_SETTINGS"] ?? "{}"))));
let opened: Deps | undefined;

async function openTools({ keyFile }: Settings): ReturnType<Deps["tools"]> {
  // Loaded at first need: it is a third of a second that requests without Kubernetes need not pay.
  const { newKubes } = await import("#core/kube/index.ts");
  return { kube: newKubes(), seal: openSeal(fileKeyring(keyFile)) };
}
