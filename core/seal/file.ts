import { randomBytes } from "node:crypto";
import { link, mkdir, open, rm } from "node:fs/promises";
import { dirname } from "node:path";
import type { Binding } from "../context.ts";
import { close, decode, encode, open as openClosed } from "./cipher.ts";
import type { Keyring } from "./seal.ts";

const keyLength = 32;

/**
 * A keyring whose one key is the file at `path`: 32 random bytes, mode 0600, made at first use when there is none and
 * never changed. Whoever loses the file loses all that was sealed with it.
 * Its calls throw an Error when others may read the file, or when it has another length.
 */
export function fileKeyring(path: string): Keyring {
  let loading: Promise<Buffer> | undefined;
  // A failure is not kept: the next call tries again.
  const key = (): Promise<Buffer> =>
    (loading ??= load(path).catch((error: unknown) => {
      loading = undefined;
      throw error;
    }));
  return {
    async dataKey(binding) {
      const data = randomBytes(keyLength);
      const { iv, ciphertext } = close(await key(), data, canonical(binding));
      return { key: data, wrapped: `${encode(iv)}.${encode(ciphertext)}` };
    },
    async unwrap(wrapped, binding) {
      const [iv = "", ciphertext = "", ...more] = wrapped.split(".");
      if (more.length > 0) throw new Error("the wrapped key has an unknown form");
      return openClosed(await key(), { iv: decode(iv), ciphertext: decode(ciphertext) }, canonical(binding));
    },
  };
}

async function load(path: string): Promise<Buffer> {
  try {
    return await read(path);
  } catch (error) {
    if (!isCode(error, "ENOENT")) throw error;
  }
  await make(path);
  return await read(path);
}

async function read(path: string): Promise<Buffer> {
  const file = await open(path, "r");
  try {
    const { mode } = await file.stat();
    if ((mode & 0o077) !== 0) throw new Error(`the key file ${path} can be read by others`);
    const key = await file.readFile();
    if (key.length !== keyLength) throw new Error(`the key file ${path} does not hold ${keyLength} bytes`);
    return key;
  } finally {
    await file.close();
  }
}

// Written apart and then linked: of two makers one wins whole, and nobody ever reads half a key.
async function make(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomBytes(8).toString("hex")}`;
  const file = await open(draft, "wx", 0o600);
  try {
    await file.writeFile(randomBytes(keyLength));
    await file.sync();
    await link(draft, path);
  } catch (error) {
    if (!isCode(error, "EEXIST")) throw error;
  } finally {
    await file.close();
    await rm(draft);
  }
}

const isCode = (error: unknown, code: string): boolean =>
  error instanceof Error && "code" in error && error.code === code;

const canonical = ({ tenant, cluster, name }: Binding): Buffer =>
  Buffer.from(JSON.stringify(["berth key v1", tenant, cluster, name]));
