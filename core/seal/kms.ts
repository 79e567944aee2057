import { DecryptCommand, GenerateDataKeyCommand, KMSClient, type KMSClientConfig } from "@aws-sdk/client-kms";
import type { Binding } from "../context.ts";
import { Fault } from "../error.ts";
import { decode, encode } from "./cipher.ts";
import type { Keyring } from "./seal.ts";

/** Which key of AWS's key service wraps the data keys. */
export interface KMSOptions {
  /** ARN or id of a symmetric key. */
  key: string;
  region: string;
  /** Where the service is, when it is not AWS's. */
  endpoint?: string;
  credentials?: NonNullable<KMSClientConfig["credentials"]>;
}

/**
 * A keyring whose key never leaves AWS's key service. The binding is the encryption context: another one does not
 * unwrap, policies can ask for parts of it, and the service's own audit log names it for every key that was opened.
 * @throws Fault `unavailable` when the service does not answer or is throttled; else what the client throws.
 */
export function kmsKeyring({ key: KeyId, ...options }: KMSOptions): Keyring & { close(): void } {
  const client = new KMSClient({ maxAttempts: 3, ...options });
  return {
    async dataKey(binding) {
      const EncryptionContext = context(binding);
      const command = new GenerateDataKeyCommand({ KeyId, KeySpec: "AES_256", EncryptionContext });
      const { Plaintext, CiphertextBlob } = await client.send(command).catch(away);
      if (Plaintext === undefined || CiphertextBlob === undefined) throw new Error("the key service gave no key");
      return { key: Plaintext, wrapped: encode(Buffer.from(CiphertextBlob)) };
    },
    async unwrap(wrapped, binding) {
      // The key is named, so that a text that was wrapped by somebody else's key is refused.
      const EncryptionContext = context(binding);
      const command = new DecryptCommand({ KeyId, CiphertextBlob: decode(wrapped), EncryptionContext });
      const { Plaintext } = await client.send(command).catch(away);
      if (Plaintext === undefined) throw new Error("the key service opened nothing");
      return Plaintext;
    },
    close: () => client.destroy(),
  };
}

/** An outage of the key service passes, and is nobody's fault: it parks no row. */
function away(cause: unknown): never {
  const status = (cause as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
  const { name } = cause as Error;
  if (status !== undefined && status < 500 && !/Throttling|KMSInternal|DependencyTimeout|KeyUnavailable/.test(name))
    throw cause;
  throw new Fault("unavailable", "The key service does not answer.", { retryAfterSeconds: 1, cause });
}

const context = ({ tenant, cluster, name }: Binding): Record<string, string> => ({ tenant, cluster, name });
