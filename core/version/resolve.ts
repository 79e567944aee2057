import compare from "semver/functions/compare.js";
import { Fault } from "../error.ts";
import { entries, expired } from "./catalogue.ts";
import type { Entry } from "./schema.ts";

const wrong = (message: string): Fault =>
  new Fault("invalid", `The version ${message}`, { errors: [{ field: "version", message }] });

/** @throws Error for a version that Berth doesn't know: rows hold known ones only, so it would be a bug. */
export function find(version: string): Entry {
  const entry = entries.find((each) => each.version === version);
  if (entry === undefined) throw new Error(`version ${version} is not in the catalogue`);
  return entry;
}

/** Whether an exact version is in the catalogue, or was once. */
export const knows = (version: string): boolean =>
  entries.some((each) => each.version === version) || expired.has(version.split(".").slice(0, 2).join("."));

/** Why a version can't be had whatever hosts there are: not in the catalogue, or expired. Undefined when it can. */
export function unknown(text: string): string | undefined {
  try {
    const all = entries.map(({ version }) => version);
    return void resolve(text, all);
  } catch (error) {
    if (error instanceof Fault) return error.errors[0]?.message;
    throw error;
  }
}

/**
 * The exact version that a request means.
 * @param text `1.34` (its newest patch that can be run), `1.34.4`, or undefined: the newest supported one.
 * @param runnable exact versions that a host can run now, in any order.
 * @throws Fault `invalid` on the field `version`; `unavailable` when none was named and no host can run any.
 */
export function resolve(text: string | undefined, runnable: readonly string[]): string {
  const newestFirst = entries.toSorted((a, b) => compare(b.version, a.version));
  const can = newestFirst.filter(({ version, state }) => state !== "expired" && runnable.includes(version));
  if (text === undefined) {
    const chosen = can.find(({ state }) => state === "supported");
    if (chosen !== undefined) return chosen.version;
    throw new Fault("unavailable", "No host can run a supported version now.", { retryAfterSeconds: 60 });
  }
  const minor = text.split(".").slice(0, 2).join(".");
  const endedOn = expired.get(minor);
  if (endedOn !== undefined) throw wrong(`${minor} is expired: Kubernetes ended it on ${endedOn}.`);
  const means = (version: string): boolean => version === text || version.startsWith(`${text}.`);
  const chosen = can.find(({ version }) => means(version));
  if (chosen !== undefined) return chosen.version;
  if (newestFirst.some(({ version }) => means(version))) {
    const others = can.map(({ version }) => version);
    const hint = others.length === 0 ? "no host can run any now" : `these can be run: ${others.join(", ")}`;
    throw wrong(`${text} can't be run by any host here now; ${hint}.`);
  }
  throw wrong(`${text} is not in the catalogue, which has ${entries.map(({ version }) => version).join(", ")}.`);
}
