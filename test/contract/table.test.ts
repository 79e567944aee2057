import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe } from "vitest";
import { openTable, type Tables } from "#core/table/index.ts";
import { createTable, localClient } from "../../local/table.ts";
import { newTable } from "../world/table.ts";
import { forms } from "./table/forms.ts";
import { line } from "./table/line.ts";
import { lists } from "./table/lists.ts";
import { older } from "./table/older.ts";
import { places } from "./table/places.ts";
import { rows } from "./table/rows.ts";
import { begin, type Open } from "./table/things.ts";
import { time } from "./table/time.ts";
import { startTable } from "./wire.ts";

const server = { endpoint: "", stop: async () => {} };
const opened: Tables[] = [];
beforeAll(async () => {
  Object.assign(server, await startTable());
}, 120_000);
afterAll(async () => {
  for (const tables of opened) tables.close();
  await server.stop();
});

const inMemory: Open = async () => {
  const clock = { now: begin };
  return { ...newTable({ now: () => clock.now }), clock };
};

const inDynamo: Open = async () => {
  const clock = { now: begin };
  const tableName = `t${randomBytes(6).toString("hex")}`;
  await createTable(server.endpoint, tableName);
  const tables = openTable({ tableName, now: () => clock.now, client: localClient(server.endpoint) });
  opened.push(tables);
  return { ...tables, clock };
};

describe.each([
  ["the table in memory", inMemory],
  ["DynamoDB Local", inDynamo],
] as const)("%s", (_name, open) => {
  rows(open);
  lists(open);
  time(open);
  places(open);
  forms(open);
});

describe("DynamoDB Local behind a bad line", () => line(server));
describe("a table of an older release", () => older());
