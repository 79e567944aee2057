// Who asks too often. Counted in this process alone: it costs no call, and each process is one more share of the rate.
import { hash } from "node:crypto";
import type { Actor } from "#core/context.ts";
import { Fault } from "#core/error.ts";
import { rateDefault } from "#core/quota/index.ts";

/** How many buckets are kept; the one that was used longest ago is forgotten for a new one. */
const bucketsMax = 10_000;
const failuresPerMinute = 20;
/** Of one door that many may stand at, wherever they come from. */
const doorFailuresPerMinute = 120;
/** What a stranger may ask of one source, where it needs no proof and costs us reads. */
const looksPerMinute = 60;
const provedSeconds = 600;

interface Bucket {
  level: number;
  /** Milliseconds. */
  at: number;
}

/** Bounded; the first key is the one that was used longest ago. */
class Buckets {
  readonly #kept = new Map<string, Bucket>();

  /** The bucket as it is at this moment. */
  at(key: string, rate: number, most: number, now: number): Bucket {
    const before = this.#kept.get(key);
    // A clock that was set back fills nothing and takes nothing.
    const gained = before === undefined ? most : (Math.max(0, now - before.at) / 1000) * rate;
    const bucket = { level: Math.min(most, (before?.level ?? 0) + gained), at: now };
    this.#kept.delete(key);
    this.#kept.set(key, bucket);
    const oldest = this.#kept.size > bucketsMax ? this.#kept.keys().next().value : undefined;
    if (oldest !== undefined) this.#kept.delete(oldest);
    return bucket;
  }

  get size(): number {
    return this.#kept.size;
  }
}

const tooMany = (what: string, seconds: number): Fault =>
  new Fault("limit", `Too many requests ${what}; try again in ${seconds} s.`, { retryAfterSeconds: seconds });

/** What is left, for the answer's headers. */
export interface Left {
  limit: number;
  remaining: number;
  /** What the request is refused with. */
  fault: Fault | undefined;
}

/** The counts of one process. */
export function newRates() {
  const members = new Buckets();
  const strangers = new Buckets();
  const doors = new Buckets();
  const lookers = new Buckets();
  const proved = new Map<string, number>();
  const digest = (text: string): string => hash("sha256", text, "base64url");
  return {
    /**
     * Counts one request against its tenant's rate (twice of it at once) and its token's, which is half of that; so no
     * token takes all of its tenant's, and no tenant anything of another's.
     */
    take({ tenant, token, rate: told = rateDefault }: Pick<Actor, "tenant" | "token" | "rate">, now: number): Left {
      const rate = Math.max(1, told);
      const own = rate / 2;
      const all = members.at(tenant, rate, Math.max(1, rate * 2), now);
      const one = members.at(`${tenant}/${token ?? ""}`, own, Math.max(1, own * 2), now);
      const wait = Math.max((1 - all.level) / rate, (1 - one.level) / own);
      const limit = Math.max(1, Math.floor(one.level < all.level ? own : rate));
      if (wait > 0) return { limit, remaining: 0, fault: tooMany("of this tenant or token", Math.ceil(wait)) };
      all.level -= 1;
      one.level -= 1;
      return { limit, remaining: Math.floor(Math.min(all.level, one.level)), fault: undefined };
    },
    /**
     * @param source undefined: not known, and not counted.
     * @throws Fault `limit` while a source has failed to prove itself too often.
     */
    meet(source: string | undefined, text: string, now: number): void {
      if (source === undefined) return;
      const { level } = strangers.at(source, failuresPerMinute / 60, failuresPerMinute, now);
      // Behind one address there may be many; whose token worked lately is not one who guesses.
      if (level >= 1 || (proved.get(digest(text)) ?? 0) > now) return;
      throw tooMany("without a valid token from this address", Math.ceil(((1 - level) * 60) / failuresPerMinute));
    },
    /** A request of this source proved nothing, and its token works no more. */
    fail(source: string | undefined, text: string, now: number): void {
      proved.delete(digest(text));
      if (source === undefined) return;
      const bucket = strangers.at(source, failuresPerMinute / 60, failuresPerMinute, now);
      // Many may be under way at once. What is counted below nothing would shut out the others there for hours.
      bucket.level = Math.max(0, bucket.level - 1);
    },
    /** Counts a look of a stranger's. @throws Fault `limit` when its source looks too often. */
    look(source: string | undefined, now: number): void {
      if (source === undefined) return;
      const bucket = lookers.at(source, looksPerMinute / 60, looksPerMinute, now);
      if (bucket.level < 1) throw tooMany("from this address", Math.ceil(((1 - bucket.level) * 60) / looksPerMinute));
      bucket.level -= 1;
    },
    /** @throws Fault `limit` while too many have failed at this door. @param door a text of the caller's own choice. */
    meetAt(door: string, now: number): void {
      const { level } = doors.at(digest(door), doorFailuresPerMinute / 60, doorFailuresPerMinute, now);
      if (level < 1) throw tooMany("that prove nothing there", Math.ceil(((1 - level) * 60) / doorFailuresPerMinute));
    },
    /** Somebody proved nothing at this door. */
    failAt(door: string, now: number): void {
      const bucket = doors.at(digest(door), doorFailuresPerMinute / 60, doorFailuresPerMinute, now);
      bucket.level = Math.max(0, bucket.level - 1);
    },
    /** This token works. */
    prove(text: string, now: number): void {
      const key = digest(text);
      proved.delete(key);
      proved.set(key, now + provedSeconds * 1000);
      const oldest = proved.size > bucketsMax ? proved.keys().next().value : undefined;
      if (oldest !== undefined) proved.delete(oldest);
    },
    /** How many are kept, of what is kept most. */
    get size(): number {
      return Math.max(members.size, strangers.size, doors.size, lookers.size, proved.size);
    },
  };
}
export type Rates = ReturnType<typeof newRates>;

/** One subscriber holds a whole /64 of IPv6; of IPv4, one address. */
export function network(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined) return mapped;
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.toLowerCase().split("::");
  const groups = head === "" ? [] : head.split(":");
  const rest = tail === undefined || tail === "" ? [] : tail.split(":");
  const full =
    tail === undefined
      ? groups
      : [...groups, ...Array<string>(Math.max(0, 8 - groups.length - rest.length)).fill("0"), ...rest];
  return full
    .slice(0, 4)
    .map((group) => group.replace(/^0+(?=.)/, ""))
    .join(":");
}

/**
 * Where a request comes from, as the platform below tells it; what its headers say, anyone may have written.
 * @param viewer in the cloud, what the router says of who asked it (`address:port`). It stands beside the address that
 * came to us, which is the router's own and shared by many: who writes the header by itself moves itself alone.
 */
export function sourceOf(env: unknown, viewer?: string): string | undefined {
  const told = env as
    | { requestContext?: { http?: { sourceIp?: string } }; incoming?: { socket?: { remoteAddress?: string } } }
    | undefined;
  const near = told?.requestContext?.http?.sourceIp;
  const address = near ?? told?.incoming?.socket?.remoteAddress;
  if (address === undefined) return undefined;
  const far = near === undefined ? undefined : viewer?.slice(0, 64).replace(/:\d+$/, "");
  return far === undefined ? network(address) : `${network(address)} ${network(far)}`;
}
