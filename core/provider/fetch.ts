// What is asked of identity providers, which tenants name: never more than was meant, and never anybody else.
import { lookup as resolve } from "node:dns/promises";
import * as http from "node:http";
import * as https from "node:https";
import type { LookupFunction } from "node:net";
import { Barred, hostOf, isAllowed, isPublic, proper } from "./address.ts";

/** Every address of a name. */
export type Lookup = (host: string) => Promise<{ address: string; family: number }[]>;

export interface Asking {
  /** Hosts and CIDRs that are not public, and may be asked all the same. */
  allowed: readonly string[];
  /** Sent as a form by POST; left out, it is a GET. */
  form?: Record<string, string>;
  /** Of names; the system's own when left out. */
  lookup?: Lookup;
}

const answerMs = 5_000;
const bytesMax = 512 * 1024;

const system: Lookup = (host) => resolve(host, { all: true, verbatim: true });

/**
 * The JSON object that a URL answers. A name is looked up once, all that it leads to must be allowed, and the connection
 * goes to one of exactly these addresses, so that a name that changes its mind leads nowhere else. No redirect is
 * followed, no answer but 200 taken, nothing above 512 kB read, and 5 s are all it has.
 * @throws Barred for what may not be asked; Error for what does not answer so.
 */
export async function ask(text: string, { allowed, form, lookup = system }: Asking): Promise<Record<string, unknown>> {
  const url = proper(text, allowed);
  const signal = AbortSignal.timeout(answerMs);
  const pinned = await within(signal, addressOf(url, allowed, lookup));
  const answer = await send(url, pinned, form, signal);
  const type = answer.headers["content-type"] ?? "";
  const coding = answer.headers["content-encoding"] ?? "identity";
  if (answer.statusCode !== 200 || !/^application\/([\w.+-]+\+)?json\b/i.test(type) || coding !== "identity") {
    answer.destroy();
    throw new Error(`it answered ${answer.statusCode ?? "nothing"}, or no JSON`);
  }
  const value: unknown = JSON.parse(await read(answer));
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new Error("it answered no object");
  return value as Record<string, unknown>;
}

/** @throws Barred when the name leads anywhere that it may not. */
async function addressOf(url: URL, allowed: readonly string[], lookup: Lookup): Promise<string> {
  const host = hostOf(url);
  const found = await lookup(host);
  const byName = isAllowed(host, allowed);
  for (const { address } of found) {
    // A name that the operator allows may lead inside; to a machine's own surroundings no name may.
    if (isPublic(address) || isAllowed(address, byName ? [...allowed, address] : allowed)) continue;
    throw new Barred("must lead to public addresses only");
  }
  const first = found[0]?.address;
  if (first === undefined) throw new Error("it has no address");
  return first;
}

function send(
  url: URL,
  address: string,
  form: Record<string, string> | undefined,
  signal: AbortSignal,
): Promise<http.IncomingMessage> {
  const family = address.includes(":") ? 6 : 4;
  const lookup: LookupFunction = (_host, options, done) =>
    options.all ? done(null, [{ address, family }]) : done(null, address, family);
  const body = form === undefined ? undefined : new URLSearchParams(form).toString();
  const headers = {
    accept: "application/json",
    "accept-encoding": "identity",
    ...(body !== undefined && {
      "content-type": "application/x-www-form-urlencoded",
      "content-length": String(Buffer.byteLength(body)),
    }),
  };
  const method = body === undefined ? "GET" : "POST";
  // No agent of the process: that one may be told by the surroundings to go through a proxy, or keep connections.
  const options: https.RequestOptions = { method, headers, lookup, signal, agent: false };
  return new Promise((resolved, reject) => {
    const made =
      url.protocol === "http:" ? http.request(url, options, resolved) : https.request(url, options, resolved);
    made.once("error", reject);
    made.end(body);
  });
}

async function read(answer: http.IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of answer as AsyncIterable<Buffer>) {
    size += part.length;
    if (size > bytesMax) throw new Error("it answered too much");
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}

/** A look-up can't be ended, but need not be waited for. */
async function within<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  const over = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(new Error("it did not answer in time")), { once: true });
  });
  return await Promise.race([work, over]);
}
