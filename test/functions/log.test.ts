import { expect, test } from "vitest";
import { newStand } from "../flow/stand.ts";

test("each line of a request and of a message names its request, tenant and cluster", async () => {
  const { world, ada, make } = await newStand();
  world.lines.length = 0;
  const id = await make();
  await ada.get(`/v1/clusters/${id}`);
  const asked = world.lines.find(({ message, fields }) => message === "request" && fields["method"] === "GET");
  expect(asked?.fields).toMatchObject({
    tenant: ada.tenant,
    cluster: id,
    requestID: expect.stringMatching(/^\w{32}$/),
  });
  const settled = world.lines.filter(({ message }) => message === "settled");
  expect(settled.length).toBeGreaterThan(0);
  for (const { fields } of settled)
    expect(fields).toMatchObject({ tenant: ada.tenant, cluster: id, requestID: expect.stringMatching(/./) });
});

test("what happens is counted: passes by outcome, and each step of a cluster once", async () => {
  const { world, make } = await newStand();
  await make();
  await world.sweep(2);
  const of = (name: string) => world.counted.filter((each) => each.name === name);
  const labels = (name: string) => new Set(of(name).map(({ label }) => label));
  expect(labels("Passes")).toContain("settled");
  const steps = of("StepSeconds").map(({ label }) => label);
  expect(steps).toContain("Ready");
  expect(new Set(steps).size).toBe(steps.length);
  expect(of("Poked").length).toBe(2);
});
