import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Binding } from "#core/context.ts";
import { fileKeyring, type Keyring, kmsKeyring, openSeal } from "#core/seal/index.ts";
import { newKeyService } from "./kms.ts";

// One suite for every keyring. AWS's own key service was never asked: what answers here is a double of its wire.

const key = "arn:aws:kms:eu-central-1:123456789012:key/one";
const credentials = { accessKeyId: "local", secretAccessKey: "local" };
const binding: Binding = { tenant: "tnt_1", cluster: "cls_1", name: "ca" };

let service: Awaited<ReturnType<typeof newKeyService>>;
const folder = mkdtempSync(join(tmpdir(), "berth-keyring-"));
beforeAll(async () => void (service = await newKeyService(key)));
afterAll(() => {
  service.close();
  rmSync(folder, { recursive: true });
});

const kms = (named = key) =>
  kmsKeyring({ key: named, region: "eu-central-1", endpoint: service.endpoint, credentials });
const keyrings: Record<string, () => Keyring> = { file: () => fileKeyring(join(folder, "key")), kms: () => kms() };

describe.each(Object.keys(keyrings))("a keyring by %s", (name) => {
  const open = (): Keyring => keyrings[name]?.() ?? expect.unreachable();

  test("opens a wrapped key for its binding, in another process too, and each is new", async () => {
    const [one, two] = [await open().dataKey(binding), await open().dataKey(binding)];
    expect(one.key).toHaveLength(32);
    expect([...one.key]).not.toEqual([...two.key]);
    expect([...(await open().unwrap(one.wrapped, binding))]).toEqual([...one.key]);
  });

  test("hands out keys that the caller may wipe", async () => {
    const keyring = open();
    const { key: data, wrapped } = await keyring.dataKey(binding);
    const kept = [...data];
    data.fill(0);
    (await keyring.unwrap(wrapped, binding)).fill(0);
    expect([...(await keyring.unwrap(wrapped, binding))]).toEqual(kept);
  });

  test.each([
    ["tenant", { ...binding, tenant: "tnt_2" as const }],
    ["cluster", { ...binding, cluster: "cls_2" }],
    ["name", { ...binding, name: "sa" }],
  ])("does not open for another %s", async (_what, other) => {
    const keyring = open();
    const { wrapped } = await keyring.dataKey(binding);
    await expect(keyring.unwrap(wrapped, other)).rejects.toThrow();
  });

  test("does not open what was altered, cut or is nothing", async () => {
    const keyring = open();
    const { wrapped } = await keyring.dataKey(binding);
    const middle = Math.floor(wrapped.length / 2);
    const altered = wrapped.slice(0, middle) + (wrapped[middle] === "A" ? "B" : "A") + wrapped.slice(middle + 1);
    for (const bad of [altered, wrapped.slice(0, -8), "", "x.y.z"])
      await expect(keyring.unwrap(bad, binding), bad).rejects.toThrow();
  });

  test("seals a text that no other binding opens", async () => {
    const seal = openSeal(open());
    const sealed = await seal.seal("a secret", binding);
    expect(await openSeal(open()).open(sealed, binding)).toBe("a secret");
    await expect(seal.open(sealed, { ...binding, cluster: "cls_2" })).rejects.toThrow();
  });
});

test("the key service is told tenant, cluster and name at each call, which the functions' rights ask for", async () => {
  service.calls.length = 0;
  const { wrapped } = await kms().dataKey(binding);
  await kms().unwrap(wrapped, binding);
  expect(service.calls).toEqual([
    { action: "GenerateDataKey", context: binding },
    { action: "Decrypt", context: binding },
  ]);
});

test("what another key wrapped is refused, though the service could open it", async () => {
  const { wrapped } = await kms().dataKey(binding);
  await expect(kms("arn:aws:kms:eu-central-1:123456789012:key/two").unwrap(wrapped, binding)).rejects.toThrow();
});

test.each([
  [500, "KMSInternalException"],
  [400, "ThrottlingException"],
])("a key service that answers %i %s is away, and what it refuses for good is not", async (status, name) => {
  const { wrapped } = await kms().dataKey(binding);
  service.fall([status, { __type: name }]);
  try {
    await expect(kms().dataKey(binding)).rejects.toMatchObject({ kind: "unavailable" });
    await expect(kms().unwrap(wrapped, binding)).rejects.toMatchObject({ kind: "unavailable" });
  } finally {
    service.fall(undefined);
  }
  await expect(kms("another").dataKey(binding)).rejects.not.toHaveProperty("kind");
});
