import { expect, test } from "vitest";
import { bodyOf, parse } from "#core/queue/index.ts";

const tenant = `tnt_0${"1".repeat(25)}` as const;
const id = `cls_0${"2".repeat(25)}` as const;

test("a body of ours reads back", () => {
  expect(parse(bodyOf(tenant, id))).toEqual({ tenant, id });
});

test.each([
  ["no JSON", "{"],
  ["no object", "null"],
  ["a list", `["${tenant}","${id}"]`],
  ["a key that we do not know", JSON.stringify({ tenant, id, haste: true })],
  ["no tenant", JSON.stringify({ id })],
  ["no id", JSON.stringify({ tenant })],
  ["a noun that we do not know", JSON.stringify({ tenant, id: id.replace("cls", "xyz") })],
  ["a tenant that is a cluster", JSON.stringify({ tenant: id, id })],
  ["an id with more behind it", JSON.stringify({ tenant, id: `${id}/x` })],
  ["an id that is a number", JSON.stringify({ tenant, id: 5 })],
])("a body that this release does not know to the letter is not read: %s", (_title, body) => {
  expect(parse(body)).toBeUndefined();
});
