import * as certificate from "#core/pki/certificate.ts";

// Real keys and certificates, made by the real room, but not made twice: a test of flow needs a dozen of them per
// cluster, and each costs 10 to 60 ms. Tests of the room itself do without.
export * from "#core/pki/kubeconfig.ts";
export { expiry } from "#core/pki/certificate.ts";

let underWay = 0;
/** True while a key is being made: time must not be passed by the world meanwhile. */
export const busy = (): boolean => underWay > 0;

const kept = new Map<string, Promise<unknown>>();
const besideTurns = 3;

async function once<T>(name: string, make: () => Promise<T>): Promise<T> {
  underWay += 1;
  try {
    const found = (kept.get(name) as Promise<T> | undefined) ?? make();
    kept.set(name, found);
    const made = await found;
    // All that goes on beside it goes as far as it can, as it does while a key is really made: the order is the same.
    for (let i = 0; i < besideTurns; i += 1) await new Promise<void>((resolve) => setImmediate(resolve));
    return made;
  } finally {
    underWay -= 1;
  }
}

// Whoever makes an authority twice must get two, or nobody would see that it was made twice. A new world begins anew.
const turns = new Map<string, number>();
function turn(name: string): string {
  const next = (turns.get(name) ?? 0) + 1;
  turns.set(name, next);
  return `${name}#${next}`;
}
export const restart = (): void => turns.clear();
const day = (now: string): string => now.slice(0, 10);
const tenMinutes = (now: string): string => now.slice(0, 15);

/** As the real one; the validity begins at the first call of that day. */
export const authority = (options: certificate.AuthorityOptions): Promise<certificate.Pair> =>
  once(turn(`authority ${options.commonName} ${options.days} ${day(options.now)}`), () =>
    certificate.authority(options),
  );

export const leaf = (signedBy: certificate.Pair, options: certificate.LeafOptions): Promise<certificate.Pair> =>
  once(
    // One that lives for an hour is used for 45 minutes of it, so it may be ten minutes old.
    `leaf ${signedBy.certificate} ${JSON.stringify({ ...options, now: options.minutes ? tenMinutes(options.now) : day(options.now) })}`,
    () => certificate.leaf(signedBy, options),
  );

export const signer = (): Promise<certificate.Signer> => once(turn("signer"), () => certificate.signer());
