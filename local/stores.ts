// Home's stores on this machine, and the functions' settings that name them.
import { open } from "#functions/wire.ts";
import { type LocalQueue, startQueue } from "./queue.ts";
import { apiURL, type Home, paths, tableName, tableURL } from "./settings.ts";
import type { State } from "./state.ts";
import { createTable, localClient, ready } from "./table.ts";

/** Waits for the table, makes what it lacks, starts the queue in this process, and opens home on both. */
export async function openHome(
  state: State,
  known: Home,
): Promise<{ opened: ReturnType<typeof open>; queue: LocalQueue }> {
  const endpoint = tableURL(known);
  await ready(endpoint);
  await createTable(endpoint, tableName);
  const queue = await startQueue({ port: known.ports.queue });
  const { region, credentials } = localClient(endpoint);
  const opened = open({
    homeTenant: known.homeTenant,
    // An identity provider beside the stack, on this very machine, is as good as any.
    privateIssuers: ["127.0.0.1", "::1", "localhost"],
    // The issuer's name must be https and must not change with a port; nothing dials it here.
    url: "https://berth.internal",
    site: apiURL(known),
    region,
    credentials,
    table: { name: tableName, endpoint },
    queue: { url: queue.url, deadURL: queue.deadURL, endpoint: queue.endpoint },
    key: { file: paths(state).key },
  });
  return { opened, queue };
}
