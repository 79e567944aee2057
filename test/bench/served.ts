// A process of its own for the bench of requests: it serves one cluster by Berth's door or by bare Hono, over the same
// table; or it serves both to itself, without a network, and says what CPU they took.
import { DynamoDBClient, type DynamoDBClientConfig } from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, GetCommand } from "@aws-sdk/lib-dynamodb";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import { openTable } from "#core/table/index.ts";
import { api } from "#functions/api/app.ts";
import type { Deps } from "#functions/deps.ts";
import { open, Settings } from "#functions/wire.ts";

/** What the parent says; the cluster's id is part of the path. */
export interface Served {
  settings: Settings;
  tenant: string;
  path: string;
  token: string;
}
export type Said = { port: number } | { berth: number; bare: number };

type Fetch = (request: Request) => Response | Promise<Response>;

/** Hono and the same reads: no token, role, rate, schema, log or count. */
function bare({ settings, tenant }: Served, client: DynamoDBClientConfig): Fetch {
  const documents = DynamoDBDocumentClient.from(new DynamoDBClient({ ...client, maxAttempts: 1 }));
  const app = new Hono();
  app.get("/v1/clusters/:id", async (c) => {
    const Key = { pk: `${tenant}/cluster`, sk: c.req.param("id") };
    const command = new GetCommand({ TableName: settings.table.name, Key, ConsistentRead: true });
    return c.json((await documents.send(command)).Item);
  });
  return app.fetch;
}

const clientOf = ({ region, credentials, table }: Settings): DynamoDBClientConfig => ({
  region,
  ...(table.endpoint !== undefined && { endpoint: table.endpoint }),
  ...(credentials && { credentials }),
});

/** Answers of the real table, each asked for once and then given from memory: the SDK's own work stays in. */
function remembering(): NonNullable<DynamoDBClientConfig["requestHandler"]> {
  const known = new Map<string, { statusCode: number; headers: Record<string, string>; body: Uint8Array }>();
  return {
    async handle(asked: { protocol: string; hostname: string; port?: number; headers: object; body: Uint8Array }) {
      const { host: _, ...headers } = asked.headers as Record<string, string>;
      const sent = Buffer.from(asked.body).toString();
      const key = `${headers["x-amz-target"]} ${sent}`;
      let response = known.get(key);
      if (response === undefined) {
        const url = `${asked.protocol}//${asked.hostname}:${asked.port}/`;
        const answer = await fetch(url, { method: "POST", headers, body: sent });
        const body = new Uint8Array(await answer.arrayBuffer());
        response = { statusCode: answer.status, headers: Object.fromEntries(answer.headers), body };
        // Writes are noted in memory alone from the second on, as reads are answered.
        known.set(key, response);
      }
      return { response };
    },
  };
}

/** CPU of one request, in microseconds. */
async function cpu(door: Fetch, { path, token }: Served, count: number): Promise<number> {
  const headers = { Authorization: `Bearer ${token}` };
  const before = process.cpuUsage();
  for (let i = 0; i < count; i += 1) {
    const answer = await door(new Request(`http://127.0.0.1${path}`, { headers }));
    if (answer.status !== 200) throw new Error(`${answer.status} ${await answer.text()}`);
    await answer.text();
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / count;
}

const say = (said: Said): void => void process.send?.(said);

async function begin(form: string, served: Served): Promise<void> {
  const settings = Settings.parse(served.settings);
  const opened = open(settings);
  if (form === "bare" || form === "berth") {
    const fetch = form === "bare" ? bare(served, clientOf(settings)) : api(opened).fetch;
    const server = serve({ fetch, port: 0, hostname: "127.0.0.1" }, ({ port }) => say({ port }));
    process.once("disconnect", () => server.close(() => process.exit()));
    return;
  }
  const client = { ...clientOf(settings), requestHandler: remembering() };
  const tables = openTable({ tableName: settings.table.name, now: () => opened.now(), client });
  const deps: Deps = { ...opened, home: { ...opened.home, table: (tenant) => tables.table(tenant) } };
  const doors = { berth: api(deps).fetch, bare: bare(served, client) };
  for (const door of Object.values(doors)) await cpu(door, served, 2_000);
  process.once("disconnect", () => process.exit());
  process.on("message", (count: number) => {
    void (async () => {
      const [a, b] = [await cpu(doors.berth, served, count), await cpu(doors.bare, served, count)];
      // And round again, so that neither is always the first.
      const [c, d] = [await cpu(doors.bare, served, count), await cpu(doors.berth, served, count)];
      say({ berth: (a + d) / 2, bare: (b + c) / 2 });
    })();
  });
  say({ port: 0 });
}

process.once("message", (served: Served) => void begin(process.argv[2] ?? "", served));
