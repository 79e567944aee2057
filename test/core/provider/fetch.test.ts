import { once } from "node:events";
import { createServer, type Server } from "node:http";
import { type AddressInfo, Socket } from "node:net";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { isAllowed, isPublic } from "#core/provider/address.ts";
import { ask, type Lookup } from "#core/provider/fetch.ts";

let server: Server;
let port: number;
let met = 0;
let answer: { status: number; headers: Record<string, string>; body: string };
const good = { status: 200, headers: { "content-type": "application/json" }, body: '{"a":1}' };
beforeAll(async () => {
  server = createServer((_, reply) => {
    reply.writeHead(answer.status, answer.headers).end(answer.body);
  }).on("connection", () => {
    met += 1;
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  port = (server.address() as AddressInfo).port;
});
afterAll(() => server.close());
afterEach(() => vi.restoreAllMocks());

/** Every attempt of this process to connect anywhere is counted, besides what the listener meets. */
const tripwire = () => vi.spyOn(Socket.prototype, "connect");
const none: Lookup = () => Promise.reject(new Error("a name was looked up"));

const hosts = [
  "127.0.0.1",
  "127.1",
  "127.255.255.254",
  "0",
  "0.0.0.0",
  "2130706433",
  "0x7f000001",
  "0x7f.0.0.1",
  "0177.0.0.1",
  "017700000001",
  "127.0.0.1.",
  "127.0.0.1%00",
  "1%32%37.0.0.1",
  "１２７.0.0.1",
  "127。0。0。1",
  "10.0.0.1",
  "10.255.255.255",
  "172.16.0.1",
  "172.31.255.254",
  "192.168.0.1",
  "100.64.0.1",
  "100.127.255.254",
  "169.254.169.254",
  "169.254.170.2",
  "169.254.100.1",
  "192.0.0.8",
  "192.0.2.1",
  "198.18.0.1",
  "198.51.100.1",
  "203.0.113.1",
  "224.0.0.1",
  "239.255.255.255",
  "240.0.0.1",
  "255.255.255.255",
  "[::]",
  "[::1]",
  "[0:0:0:0:0:0:0:1]",
  "[::127.0.0.1]",
  "[::7f00:1]",
  "[::ffff:127.0.0.1]",
  "[::ffff:7f00:1]",
  "[::ffff:8.8.8.8]",
  "[::ffff:0:127.0.0.1]",
  "[64:ff9b::7f00:1]",
  "[64:ff9b::10.0.0.1]",
  "[64:ff9b:1::7f00:1]",
  "[2002:7f00:1::]",
  "[2002:a9fe:a9fe::1]",
  "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
  "[2001:db8::1]",
  "[fc00::1]",
  "[fd00:ec2::254]",
  "[fd12:3456::1]",
  "[fe80::1]",
  "[fe80::1%25lo]",
  "[fec0::1]",
  "[ff02::1]",
  "[100::1]",
  "[5f00::1]",
];
const forms = (): string[] => [
  ...hosts.flatMap((host) => [`https://${host}/`, `https://${host}:${port}/`]),
  `http://127.0.0.1:${port}/`,
  `http://public.test:${port}/`,
  "http://public.test/",
  `https://public.test:${port}/`,
  "https://public.test:22/",
  "https://public.test:8443/",
  "https://public.test:443/",
  "https://user@public.test/",
  "https://user:word@public.test/",
  `https://public.test@127.0.0.1:${port}/`,
  `https://127.0.0.1:${port}#@public.test/`,
  `https://127.0.0.1:${port}\\@public.test/`,
  "https://public.test./",
  "https://public.test/#fragment",
  "https://public.test/#",
  "https:\\\\public.test/",
  "https:/public.test/",
  "https:public.test/",
  "HTTPS://public.test/",
  "https://PUBLIC.test/",
  " https://public.test/",
  "https://public.test/\n",
  "https://pub\tlic.test/",
  "https://public.test/a/../b",
  "https://public.test/%2e%2e/b",
  "//public.test/",
  "public.test",
  "file:///etc/passwd",
  "ftp://public.test/",
  "gopher://public.test/",
  "data:application/json,{}",
  "blob:https://public.test/x",
  "javascript:alert(1)",
  "",
];

test("no form of a URL leads to what is not public: nothing is looked up, nothing connected to", async () => {
  answer = good;
  const connects = tripwire();
  expect(forms().length).toBeGreaterThanOrEqual(60);
  for (const url of forms())
    await expect(ask(url, { allowed: [], lookup: none }), url).rejects.toMatchObject({ name: "Barred" });
  expect([connects.mock.calls.length, met]).toEqual([0, 0]);
});

test("a name that leads to anything that is not public is not asked, whatever else it leads to", async () => {
  const connects = tripwire();
  const bad = hosts
    .map((host) => host.replace(/^\[|\]$/g, "").replace("%25lo", ""))
    .filter((each) => /^[0-9a-f.:]+$/.test(each));
  for (const address of bad)
    for (const list of [[address], ["1.1.1.1", address], [address, "2606:4700::1111"]]) {
      const lookup: Lookup = async () => list.map((each) => ({ address: each, family: each.includes(":") ? 6 : 4 }));
      await expect(ask("https://public.test/", { allowed: [], lookup }), list.join(" ")).rejects.toMatchObject({
        name: "Barred",
      });
    }
  const nowhere: Lookup = async () => [];
  await expect(ask("https://public.test/", { allowed: [], lookup: nowhere })).rejects.toThrow("no address");
  expect(connects.mock.calls.length).toBe(0);
});

test("a name that changes its mind is looked up once, and the connection goes to what was looked at", async () => {
  const connects = tripwire().mockImplementation(function (this: Socket) {
    queueMicrotask(() => this.destroy(new Error("stopped by the test")));
    return this;
  });
  let asked = 0;
  const rebinding: Lookup = async () => {
    asked += 1;
    return [{ address: asked === 1 ? "1.1.1.1" : "127.0.0.1", family: 4 }];
  };
  await expect(ask("https://public.test/", { allowed: [], lookup: rebinding })).rejects.toThrow("stopped by the test");
  expect(asked).toBe(1);
  const [options] = connects.mock.calls[0] as unknown as [
    { host: string; lookup: (host: string, options: object, done: (...all: unknown[]) => void) => void },
  ];
  const target = options && "lookup" in options ? options : (options as unknown as (typeof options)[])[0];
  const found: unknown[] = [];
  for (let i = 0; i < 3; i += 1) target?.lookup("public.test", {}, (...all) => found.push(all));
  expect(found).toEqual(Array(3).fill([null, "1.1.1.1", 4]));
  // The certificate must be the name's, though an address is dialled.
  expect(target).toMatchObject({ servername: "public.test" });
});

test("what the operator allows is asked, by name, address or range, and a machine's own surroundings never", async () => {
  answer = good;
  const url = `http://127.0.0.1:${port}/`;
  for (const allowed of [["127.0.0.1"], ["127.0.0.0/8"], ["10.0.0.0/8", "127.0.0.1"]])
    expect(await ask(url, { allowed, lookup: async () => [{ address: "127.0.0.1", family: 4 }] })).toEqual({ a: 1 });
  const named = { allowed: ["house.test"], lookup: async () => [{ address: "127.0.0.1", family: 4 }] };
  expect(await ask(`http://house.test:${port}/`, named)).toEqual({ a: 1 });
  await expect(ask(url, { allowed: ["::1", "10.0.0.0/8", "house.test"] })).rejects.toMatchObject({ name: "Barred" });
  for (const address of ["169.254.169.254", "fe80::1", "0.0.0.0", "::", "224.0.0.1", "fd00:ec2::254"]) {
    expect(isAllowed(address, [address, "0.0.0.0/0", "::/0"]), address).toBe(false);
    const lookup: Lookup = async () => [{ address, family: 4 }];
    await expect(ask("https://house.test/", { allowed: ["house.test"], lookup })).rejects.toMatchObject({
      name: "Barred",
    });
  }
});

test("only a plain JSON object of bearable size is an answer; redirects lead nowhere", async () => {
  const url = `http://127.0.0.1:${port}/`;
  const json = { "content-type": "application/json" };
  const before = met;
  for (const [status, headers, body] of [
    [301, { location: `http://127.0.0.1:${port}/other` }, ""],
    [302, { ...json, location: "http://169.254.169.254/" }, "{}"],
    [307, { location: "/" }, ""],
    [204, {}, ""],
    [404, json, "{}"],
    [500, json, "{}"],
    [200, { "content-type": "text/html" }, "{}"],
    [200, {}, "{}"],
    [200, { ...json, "content-encoding": "gzip" }, "{}"],
    [200, json, "[]"],
    [200, json, "null"],
    [200, json, "{"],
    [200, json, `{"a":"${"x".repeat(512 * 1024)}"}`],
  ] as [number, Record<string, string>, string][]) {
    answer = { status, headers, body };
    await expect(ask(url, { allowed: ["127.0.0.1"] }), `${status} ${body.slice(0, 9)}`).rejects.toThrow();
  }
  expect(met - before).toBe(13);
  answer = { ...good, headers: { "content-type": "application/jwk-set+json; charset=utf-8" } };
  expect(await ask(url, { allowed: ["127.0.0.1"] })).toEqual({ a: 1 });
});

test("what is public is public: addresses of either kind that anyone may reach", () => {
  for (const each of ["1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"])
    expect(isPublic(each), each).toBe(true);
  for (const each of ["", "x", "127.0.0.1", "::1", "::7f00:1", "::a00:1", "4000::1", "8000::1"])
    expect(isPublic(each), each).toBe(false);
});
