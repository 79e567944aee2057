import { expect, test } from "vitest";
import { askOf } from "#core/access/ask.ts";
import { placeOf } from "#core/access/path.ts";

const pods = "/api/v1/namespaces/shop/pods";
const ask = (method: string, path: string, headers: Record<string, string> = {}) => {
  const [bare = "", query = ""] = path.split("?");
  return askOf(placeOf(bare), { method, query, headers: new Headers(headers) });
};

test.each([
  ["GET", pods, "list", false],
  ["GET", `${pods}/one`, "get", false],
  ["GET", `${pods}?watch=1`, "watch", false],
  ["POST", pods, "create", true],
  ["PUT", `${pods}/one`, "update", true],
  ["PATCH", `${pods}/one`, "patch", true],
  ["DELETE", `${pods}/one`, "delete", true],
  ["DELETE", pods, "deletecollection", true],
  ["GET", "/version", "get", false],
  ["POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", "create", false],
  ["POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", "create", true],
])("%s %s is a %s", (method, path, verb, writes) => {
  expect(ask(method, path)).toMatchObject({ verb, writes });
});

test.each([
  [pods, `${pods}?limit=500`],
  [`${pods}?limit=0`, `${pods}?limit=500`],
  [`${pods}?limit=20&continue=a%2Fb`, `${pods}?limit=20&continue=a%2Fb`],
  [`${pods}?limit=100000`, `${pods}?limit=500`],
  [`${pods}?watch=false&limit=3`, `${pods}?limit=3`],
  [`${pods}?watch=true`, `${pods}?watch=true&timeoutSeconds=840`],
  [`${pods}?watch=1&timeoutSeconds=30`, `${pods}?watch=true&timeoutSeconds=30`],
  [`${pods}?watch=true&timeoutSeconds=86400&timeout=24h`, `${pods}?watch=true&timeoutSeconds=840`],
  [`${pods}?timeoutSeconds=600&timeout=1h`, `${pods}?limit=500`],
  [`${pods}/one`, `${pods}/one`],
  [`${pods}/one/log`, `${pods}/one/log?limitBytes=5242880`],
  [`${pods}/one/log?limitBytes=99999999`, `${pods}/one/log?limitBytes=5242880`],
  [`${pods}/one/log?follow=true&container=a`, `${pods}/one/log?follow=true&container=a`],
])("%s goes on as %s", (path, as) => {
  expect(ask("GET", path).path).toBe(as);
});

test("only watches and logs that are followed are streams", () => {
  expect(ask("GET", `${pods}?watch=true`).stream).toBe(true);
  expect(ask("GET", `${pods}/one/log?follow=1`).stream).toBe(true);
  for (const path of [pods, `${pods}/one?follow=true`, `${pods}/one/log`, "/version?watch=true"])
    expect([path, ask("GET", path).stream]).toEqual([path, false]);
  expect(ask("DELETE", `${pods}?watch=true`).stream).toBe(false);
});

test.each([
  ["watch=true&watch=false", "watch"],
  ["watch=TRUE", "watch"],
  ["watch=", "watch"],
  ["limit=1&limit=100000", "limit"],
  ["limit=-1", "limit"],
  ["limit=1e9", "limit"],
  ["watch=true&timeoutSeconds=x", "timeoutSeconds"],
  ["timeout=1s&timeout=1h", "timeout"],
])("what a server could read in two ways is refused by its name: %s", (query, field) => {
  expect(() => ask("GET", `${pods}?${query}`)).toThrow(
    expect.objectContaining({ kind: "invalid", errors: [expect.objectContaining({ field })] }),
  );
});

test("a body that is packed is refused, as its size would say nothing", () => {
  expect(() => ask("POST", pods, { "Content-Encoding": "gzip" })).toThrow(expect.objectContaining({ kind: "media" }));
  expect(ask("POST", pods, { "Content-Encoding": "identity" }).headers).toEqual({});
});
