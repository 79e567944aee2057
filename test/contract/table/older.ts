import { randomBytes } from "node:crypto";
import { CreateTableCommand, DynamoDBClient, UpdateTimeToLiveCommand } from "@aws-sdk/client-dynamodb";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openTable } from "#core/table/index.ts";
import { createTable, localClient } from "../../../local/table.ts";
import { startTable } from "../wire.ts";
import { begin, newTenant, thing } from "./things.ts";

/** What becomes of a table that a release before the index `lap` made. */
export function older(): void {
  // A server of its own: among the dozens of tables of the other tests, this one takes minutes to fill an index.
  let server: Awaited<ReturnType<typeof startTable>>;
  beforeAll(async () => void (server = await startTable()), 120_000);
  afterAll(() => server.stop());

  test("keeps its rows, gets the index it lacks, and is left alone from then on", async () => {
    const tableName = `t${randomBytes(6).toString("hex")}`;
    const client = new DynamoDBClient(localClient(server.endpoint));
    await client.send(
      new CreateTableCommand({
        TableName: tableName,
        AttributeDefinitions: ["pk", "sk", "dueKey", "dueAt"].map((AttributeName) => ({
          AttributeName,
          AttributeType: "S",
        })),
        KeySchema: [
          { AttributeName: "pk", KeyType: "HASH" },
          { AttributeName: "sk", KeyType: "RANGE" },
        ],
        GlobalSecondaryIndexes: [
          {
            IndexName: "due",
            KeySchema: [
              { AttributeName: "dueKey", KeyType: "HASH" },
              { AttributeName: "dueAt", KeyType: "RANGE" },
            ],
            Projection: { ProjectionType: "KEYS_ONLY" },
          },
        ],
        BillingMode: "PAY_PER_REQUEST",
      }),
    );
    const TimeToLiveSpecification = { AttributeName: "ttl", Enabled: true };
    await client.send(new UpdateTimeToLiveCommand({ TableName: tableName, TimeToLiveSpecification }));
    client.destroy();
    const tables = openTable({ tableName, now: () => begin, client: localClient(server.endpoint) });
    const mine = tables.table(newTenant());
    const host = "hst_01k3zq9m5w0000000000000001";
    await mine.write(
      mine.insert(thing, "a", { name: "parked", parkedAt: begin }),
      mine.insert(thing, "b", { name: "carried", hostedOn: host, sight: "s" }),
    );
    await expect(tables.carried(host)).rejects.toThrow();
    await createTable(server.endpoint, tableName);
    await createTable(server.endpoint, tableName);
    expect((await tables.carried(host)).items).toEqual([{ tenant: mine.tenant, id: "b", sight: "s" }]);
    expect((await tables.parked()).items).toEqual([{ tenant: mine.tenant, id: "a" }]);
    expect((await mine.list(thing)).items.map(({ name }) => name)).toEqual(["parked", "carried"]);
    tables.close();
  });
}
