// Home's own stores from another process: a second worker, and an eye on what no door tells.
import type { ID } from "#core/id.ts";
import { limits } from "#core/lease.ts";
import { contextOf, type Deps, system, workOf } from "#functions/deps.ts";
import { open } from "#functions/wire.ts";
import * as Cluster from "#core/cluster/index.ts";
import { clusterKind, type Cluster as Row } from "#core/cluster/schema.ts";
import { paths, tableName, tableURL } from "../../local/settings.ts";
import { localClient } from "../../local/table.ts";
import type { Stack } from "./stack.ts";

export class Second {
  readonly deps: Deps;
  readonly tenant: ID<"tenant">;
  /** Hints that its own work gave, in place of the queue's. */
  readonly pokes: ID[] = [];
  private readonly end: () => void;

  private constructor(stack: Stack, tenant: ID<"tenant">) {
    const { home: known } = stack;
    const { region, credentials } = localClient(tableURL(known));
    const endpoint = `http://127.0.0.1:${known.ports.queue}`;
    const opened = open({
      homeTenant: known.homeTenant,
      url: "https://berth.internal",
      region,
      credentials,
      table: { name: tableName, endpoint: tableURL(known) },
      queue: { url: `${endpoint}/000000000000/berth`, deadURL: `${endpoint}/000000000000/berth-dead`, endpoint },
      key: { file: paths(stack.state).key },
    });
    const poke = (_tenant: ID<"tenant">, id: ID): Promise<void> => {
      this.pokes.push(id);
      return Promise.resolve();
    };
    const silent = (): void => undefined;
    this.deps = {
      ...opened,
      home: { ...opened.home, poke },
      log: { info: silent, warn: silent, error: silent },
      meter: { count: silent },
    };
    this.tenant = tenant;
    this.end = () => opened.close();
  }

  /** Needs the API once, to know whose stack it is. */
  static async open(stack: Stack): Promise<Second> {
    const { tenant } = await stack.api<{ tenant: { id: ID<"tenant"> } }>("GET", "/v1/me");
    return new Second(stack, tenant.id);
  }

  close(): void {
    this.end();
  }

  /** The tenant's clusters as the table has them. */
  async rows(): Promise<Row[]> {
    return (await this.deps.home.table(this.tenant).list(clusterKind, { limit: 100 })).items;
  }

  /** Brings one cluster to its end, as often as patience asks for it. */
  async finish(id: ID<"cluster">): Promise<void> {
    const work = await workOf(this.deps, contextOf(this.deps, system(this.tenant), "second"));
    for (const until = Date.now() + 180_000; Date.now() < until; ) {
      const { state } = await Cluster.reconcile(work, id);
      if (state === "settled" || state === "gone") return;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    throw new Error(`${id} did not settle`);
  }

  /** How long the oldest of the due rows waits by now, in seconds; 0 when none is due. */
  async oldest(): Promise<number> {
    const now = this.deps.now();
    const shards = Array.from({ length: limits.dueShards }, (_, shard) => this.deps.home.due(shard, now, { limit: 1 }));
    const ids = (await Promise.all(shards)).flatMap(({ items }) => items);
    const ages = ids.map(async ({ tenant, id }) => {
      const row = await this.deps.home
        .table(tenant)
        .get(clusterKind, id)
        .catch(() => undefined);
      return row?.lookAt === undefined ? 0 : Math.max(0, (Date.parse(now) - Date.parse(row.lookAt)) / 1000);
    });
    return Math.max(0, ...(await Promise.all(ages)));
  }
}
