import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Binding } from "#core/context.ts";
import { fileKeyring, openSeal, type Keyring } from "#core/seal/index.ts";

const binding: Binding = { tenant: "tnt_1", cluster: "cls_1", name: "ca" };
const plain = "-----BEGIN PRIVATE KEY-----";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "berth-seal-"));
});
afterEach(async () => await rm(folder, { recursive: true }));
const path = (name = "key"): string => join(folder, name);

describe("a sealed text", () => {
  test("opens under the binding it was sealed for, whatever it says", async () => {
    const seal = openSeal(fileKeyring(path()));
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary" }), fc.string(), fc.string(), async (text, cluster, name) => {
        const bound: Binding = { tenant: "tnt_1", cluster, name };
        expect(await seal.open(await seal.seal(text, bound), bound)).toBe(text);
      }),
      { numRuns: 50 },
    );
  });

  test("does not open for another tenant, cluster or name, or with parts of the binding shifted", async () => {
    const seal = openSeal(fileKeyring(path()));
    const sealed = await seal.seal(plain, binding);
    const others: Binding[] = [
      { ...binding, tenant: "tnt_2" },
      { ...binding, cluster: "cls_2" },
      { ...binding, name: "sa" },
      { ...binding, cluster: "cls_1ca", name: "" },
      { ...binding, cluster: '","', name: "ca" },
    ];
    for (const other of others) await expect(seal.open(sealed, other)).rejects.toThrow();
  });

  test("does not open when any one of its characters is another", async () => {
    const seal = openSeal(fileKeyring(path()));
    const sealed = await seal.seal("x", binding);
    const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=. ";
    for (let index = 0; index < sealed.length; index++) {
      for (const other of letters) {
        if (other === sealed[index]) continue;
        const altered = sealed.slice(0, index) + other + sealed.slice(index + 1);
        await expect(seal.open(altered, binding), `${other} at ${index}`).rejects.toThrow();
      }
    }
  });

  test("does not open when any one bit of its bytes is flipped", async () => {
    const seal = openSeal(fileKeyring(path()));
    const parts = (await seal.seal("x", binding)).split(".");
    for (let part = 1; part < parts.length; part++) {
      const bytes = Buffer.from(parts[part] ?? "", "base64url");
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const flipped = Buffer.from(bytes);
        flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        const altered = parts.with(part, flipped.toString("base64url")).join(".");
        await expect(seal.open(altered, binding), `part ${part} bit ${bit}`).rejects.toThrow();
      }
    }
  });

  test("does not open when it was cut, lengthened or put together from two", async () => {
    const seal = openSeal(fileKeyring(path()));
    const [one, two] = [await seal.seal(plain, binding), await seal.seal(plain, binding)];
    const [version, wrapped, iv, ciphertext] = one.split(".");
    const mixed = [version, wrapped, iv, two.split(".")[3]].join(".");
    const bad = [
      "",
      "v1",
      one.slice(0, -4),
      `${one}.`,
      `${one}AAAA`,
      ` ${one}`,
      mixed,
      `v2.${wrapped}.${iv}.${ciphertext}`,
    ];
    for (const text of bad) await expect(seal.open(text, binding), text).rejects.toThrow();
  });

  test("is another one each time, and shows nothing of what it holds", async () => {
    const seal = openSeal(fileKeyring(path()));
    const [one, two] = [await seal.seal(plain, binding), await seal.seal(plain, binding)];
    expect(one).toMatch(/^v1(\.[-_a-zA-Z0-9]+){3}$/);
    const [first, second] = [one.split("."), two.split(".")];
    for (const part of [1, 2, 3]) expect(first[part]).not.toBe(second[part]);
    expect(Buffer.from(first[3] ?? "", "base64url").toString("latin1")).not.toContain("PRIVATE");
  });
});

describe("the binding", () => {
  const others: Binding[] = [
    { ...binding, tenant: "tnt_2" },
    { ...binding, cluster: "cls_2" },
    { ...binding, name: "sa" },
  ];

  test("holds even with a keyring that does not look at it", async () => {
    const key = new Uint8Array(32).fill(7);
    const careless: Keyring = {
      dataKey: async () => ({ key: key.slice(), wrapped: "x" }),
      unwrap: async () => key.slice(),
    };
    const seal = openSeal(careless);
    const sealed = await seal.seal(plain, binding);
    expect(await seal.open(sealed, binding)).toBe(plain);
    for (const other of others) await expect(seal.open(sealed, other)).rejects.toThrow();
  });

  test("is the data key's too", async () => {
    const keyring = fileKeyring(path());
    const { key, wrapped } = await keyring.dataKey(binding);
    expect(await keyring.unwrap(wrapped, binding)).toEqual(key);
    for (const other of others) await expect(keyring.unwrap(wrapped, other)).rejects.toThrow();
  });

  test("leaves no data key behind", async () => {
    const keys: Uint8Array[] = [];
    const keyring = fileKeyring(path());
    const watched: Keyring = {
      dataKey: async (bound) => {
        const made = await keyring.dataKey(bound);
        keys.push(made.key);
        return made;
      },
      unwrap: async (wrapped, bound) => {
        const key = await keyring.unwrap(wrapped, bound);
        keys.push(key);
        return key;
      },
    };
    const seal = openSeal(watched);
    await seal.open(await seal.seal(plain, binding), binding);
    expect(keys.map((key) => Buffer.from(key).toString("hex"))).toEqual(["00".repeat(32), "00".repeat(32)]);
  });
});

describe("a key file", () => {
  test("is made once, of 32 bytes that only its owner may read", async () => {
    const deep = join(folder, "a", "b", "key");
    const sealed = await openSeal(fileKeyring(deep)).seal(plain, binding);
    const { mode, size } = await stat(deep);
    expect([(mode & 0o777).toString(8), size]).toEqual(["600", 32]);
    expect(await openSeal(fileKeyring(deep)).open(sealed, binding)).toBe(plain);
  });

  test("made by many at once is one", async () => {
    const seals = Array.from({ length: 8 }, () => openSeal(fileKeyring(path())));
    const sealed = await Promise.all(seals.map((seal) => seal.seal(plain, binding)));
    for (const text of sealed) expect(await openSeal(fileKeyring(path())).open(text, binding)).toBe(plain);
  });

  test("does not open what another one sealed", async () => {
    const sealed = await openSeal(fileKeyring(path("one"))).seal(plain, binding);
    await expect(openSeal(fileKeyring(path("two"))).open(sealed, binding)).rejects.toThrow();
  });

  test("is refused when others may read it or it is no key, and is never changed", async () => {
    await writeFile(path("open"), Buffer.alloc(32, 7));
    await chmod(path("open"), 0o640);
    await expect(openSeal(fileKeyring(path("open"))).seal(plain, binding)).rejects.toThrow(/read by others/);
    await writeFile(path("short"), Buffer.alloc(31, 7), { mode: 0o600 });
    await expect(openSeal(fileKeyring(path("short"))).seal(plain, binding)).rejects.toThrow(/32 bytes/);
    expect(await readFile(path("short"))).toEqual(Buffer.alloc(31, 7));
  });

  test("that was refused is taken once it is put right", async () => {
    await writeFile(path(), Buffer.alloc(32, 7));
    await chmod(path(), 0o644);
    const seal = openSeal(fileKeyring(path()));
    await expect(seal.seal(plain, binding)).rejects.toThrow();
    await chmod(path(), 0o600);
    expect(await seal.open(await seal.seal(plain, binding), binding)).toBe(plain);
  });
});
