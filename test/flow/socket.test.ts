import { once } from "node:events";
import { connect, type AddressInfo } from "node:net";
import type { Server } from "node:http";
import { serve } from "@hono/node-server";
import { afterEach, beforeEach, expect, test } from "vitest";
import { newStand, type Stand } from "./stand.ts";
import { doorOf } from "#functions/doors.ts";

// What a client library would set right before it is sent comes as it is over a socket.

let stand: Stand;
let id: string;
let server: Server;
beforeEach(async () => {
  stand = await newStand();
  id = await stand.make();
  await stand.ada.get(`/v1/kube/${id}/version`);
  const { api, access } = stand.world.doors;
  server = serve({
    fetch: (request, env) => (doorOf(new URL(request.url).pathname) === "access" ? access : api).fetch(request, env),
    port: 0,
    hostname: "127.0.0.1",
  }) as Server;
  await once(server, "listening");
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** The status line of the answer to these very bytes; empty when the connection was closed without one. */
async function sent(target: string, headers: string[] = []): Promise<string> {
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  const own = [`Authorization: Bearer ${stand.ada.text}`, "Host: berth.test", "Connection: close"];
  socket.write(`GET ${target} HTTP/1.1\r\n${[...own, ...headers].join("\r\n")}\r\n\r\n`);
  let answer = "";
  socket.on("error", () => undefined).on("data", (piece: Buffer) => (answer += piece.toString()));
  await once(socket, "close");
  return answer.split("\r\n")[0] ?? "";
}
const passed = (): string[] =>
  stand
    .inside(id)
    .calls.filter(({ verb }) => verb === "pass")
    .map(({ name = "" }) => name);

test("what goes on is what was asked, and nothing that is read in two ways goes on", async () => {
  const before = passed().length;
  expect(await sent(`/v1/kube/${id}/api/v1/namespaces/default/configmaps`)).toContain("200");
  expect(passed().slice(before)).toEqual(["GET /api/v1/namespaces/default/configmaps?limit=500"]);
  const root = `/v1/kube/${id}`;
  const base = `${root}/api/v1/namespaces/default`;
  const tricks = [
    ["/..", "/../kube-system/secrets", "/%2e%2e/kube-system/secrets", "/.%2E/kube-system/secrets", "/./secrets"],
    ["//secrets", "/%2fsecrets", "%2f..%2fkube-system", "\\..\\kube-system\\secrets", "/a\\b", "/%5c..%5c", "/%00"],
    ["/%252e%252e/kube-system", "/pods/web/exec", "/pods/web/e%78ec", "/services/web/proxy/", "/secrets/", "/%"],
    ["/pods/web/proxy/../../../secrets", "/secrets#", "/secrets%23", "/secrets%3flimit=1"],
  ]
    .flat()
    .map((rest) => base + rest);
  const more = [
    `${root}`,
    `${root}/`,
    `${root}//api`,
    `${root}/metrics`,
    `/v1/kube/${id}%2fapi`,
    `//v1/kube/${id}/api`,
  ];
  const far = [
    `http://elsewhere.test${root}/version/x/../..`,
    `/v1/kube/${id.toUpperCase()}/api`,
    `${root}/api/../../../me`,
  ];
  const from = passed().length;
  for (const target of [...tricks, ...more, ...far]) await sent(target);
  // What was normalised before it came to us is asked as what it is then: within this cluster, and by its own rules.
  const beyond = passed()
    .slice(from)
    .filter((path) => !/^GET \/api\/v1\/namespaces(\/[a-z-]+)?(\/(secrets|pods))?(\?limit=500)?$/.test(path));
  expect(beyond).toEqual([]);
  expect(passed().slice(from).join(" ")).not.toMatch(/\.\.|%|\\|exec|proxy/);
});

test("a header that is there twice, or broken, opens nothing", async () => {
  const before = passed().length;
  const target = `/v1/kube/${id}/version`;
  expect(await sent(target, ["Authorization: Bearer berth_other"])).toMatch(/ (400|401) |^$/);
  expect(await sent(target, ["Upgrade: websocket", "Connection: Upgrade"])).not.toContain(" 101 ");
  expect(await sent(target, ["Transfer-Encoding: chunked", "Content-Length: 5"])).toMatch(/ 400 |^$/);
  expect(await sent(target, ["Impersonate-User: a\nImpersonate-Group: system:masters"])).toMatch(/ (400|200) |^$/);
  expect(passed().length - before).toBeLessThanOrEqual(1);
});
