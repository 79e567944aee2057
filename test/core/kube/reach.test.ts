import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { expect, test } from "vitest";
import { reachable } from "#core/kube/reach.ts";

test("what listens is reached, and what does not is known at once", async () => {
  const server = createServer((socket) => socket.destroy());
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  expect(await reachable(address, 2_000)).toBe(true);
  await once(server.close(), "close");
  const since = performance.now();
  expect(await reachable(address, 20_000)).toBe(false);
  expect(performance.now() - since).toBeLessThan(10_000);
});
