// One stack's whole life, in order: each part goes on with what the ones before left. It stands beside whatever else
// runs on this machine, another stack too.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { access } from "./access.ts";
import { outage } from "./away.ts";
import { fire } from "./fire.ts";
import { guest } from "./guest.ts";
import { leftovers, machine } from "./machine.ts";
import { people } from "./people.ts";
import { plane } from "./plane.ts";
import { removal } from "./removal.ts";
import { repair } from "./repair.ts";
import { restart } from "./restart.ts";
import { share } from "./share.ts";
import { Stack } from "./stack.ts";
import { stopped } from "./stopped.ts";
import { trust } from "./trust.ts";

const stack = new Stack();
let untouched: string[] = [];
let told = "";

beforeAll(async () => {
  stack.open();
  untouched = await machine();
  told = await stack.up();
});

afterAll(async () => {
  const { code, err } = await stack.remove();
  if (code !== 0) throw new Error(err);
});

test("`npm start` ends with a first cluster that answered kubectl, and says how to go on", () => {
  expect(told).toMatch(/\$ \S*kubectl --kubeconfig \S+first\.kubeconfig get namespaces\nNAME/);
  expect(told).toMatch(/^kube-system +Active/m);
  expect(told).toContain("Berth is up.");
  expect(told).toContain(`npx berth cluster create red --wait`);
});

access(stack);
plane(stack);
trust(stack);
people(stack);
share(stack);
repair(stack);
restart(stack);
stopped(stack);
outage(stack);
fire(stack);
guest(stack);

describe("the whole stack", () => {
  test("`npm run down` leaves nothing on the machine but the state folder", async () => {
    const { code, err } = await stack.start("down");
    expect(code, err).toBe(0);
    expect(await leftovers(stack.state)).toEqual([]);
    expect(await machine()).toEqual(expect.arrayContaining(untouched));
  });

  test("`npm start` resumes it: clusters, data and the kubeconfigs of before are back", async () => {
    const kubeconfig = `${stack.people}/red.kubeconfig`;
    await stack.up();
    const kept = async () => (await stack.kubectl(kubeconfig, "get", "configmap", "kept", "-o", "name")).out;
    await expect.poll(kept, { timeout: 120_000, interval: 500 }).toBe("configmap/kept\n");
  });
});

removal(stack);

test("`npm run down` twice is harmless, and `--erase` takes the rest", async () => {
  for (const args of [["down"], ["down"], ["down", "--erase"], ["down", "--erase"]]) {
    const { code, err } = await stack.start(...args);
    expect(code, err).toBe(0);
  }
  expect(await leftovers(stack.state)).toEqual([]);
});
