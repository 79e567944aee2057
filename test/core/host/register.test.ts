import { expect, test } from "vitest";
import { KubeFault } from "#core/context.ts";
import * as Host from "#core/host/index.ts";
import { contextOf, workOf } from "#functions/deps.ts";
import * as Token from "#core/token/index.ts";
import { homeTenant, kubeconfigOf, newStage } from "../../functions/stage.ts";

const server = "https://192.0.2.10:6443";

async function begin() {
  const stage = newStage();
  await stage.staff();
  const { text } = await stage.member(homeTenant, "staff");
  const work = await workOf(stage.deps, contextOf(stage.deps, await Token.authenticate(stage.deps, text), "test"));
  const input = Host.RegisterInput.parse({
    name: "north",
    region: "north",
    address: "192.0.2.10",
    ports: { from: 30_000, to: 30_100 },
    versions: ["1.34.4"],
    imagePrefix: "images.test/berth",
    storageClass: "standard",
    serviceCIDRs: ["10.96.0.0/16"],
    podCIDRs: ["10.244.0.0/16"],
    kubeconfig: await kubeconfigOf(server),
  });
  return { stage, work, input };
}

test.each([
  ["unauthorized", "invalid"],
  ["forbidden", "invalid"],
  ["unavailable", "unavailable"],
] as const)("a server that is %s makes no host: %s", async (kind, fault) => {
  const { stage, work, input } = await begin();
  const told = new KubeFault(kind, "as told");
  stage.kubes.server(server).troubles.push({ match: () => true, fault: told, when: "before" });
  const before = JSON.stringify([...stage.tables.rows()]);
  await expect(Host.register(work, input)).rejects.toMatchObject({ kind: fault });
  expect(JSON.stringify([...stage.tables.rows()])).toBe(before);
});

test("what is registered can be reached again, and its row holds no credential", async () => {
  const { stage, work, input } = await begin();
  const { id } = await Host.register(work, input);
  expect(await Host.target(work, id)).toMatchObject({ server, user: { token: "host-token-canary" } });
  expect(JSON.stringify(stage.tables.rows().get(`${homeTenant}/host/${id}`))).not.toMatch(/canary|kubeconfig/);
});
