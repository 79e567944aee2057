import { readFileSync } from "node:fs";
import type { Client } from "./client.ts";
import { Stop } from "./fault.ts";
import { idOfCluster, pairs, seconds } from "./run.ts";
import type { Project } from "./space.ts";

/** What may be said of a project on the command line. */
export interface Said {
  title?: string;
  cluster?: string[];
  limit?: string[];
  reserve?: number;
  default?: string[];
  label?: string[];
  podSecurity?: string;
  network?: string;
  pullSecret?: string;
  expires?: string;
  deletionProtection?: boolean;
  file?: string;
}

/** Limits that are numbers; the others are Kubernetes quantities, which stay as they are written. */
const counts = new Set(["pods", "services", "loadBalancers", "volumes"]);

/**
 * The body of a create or a change. Flags win over the file. Of a project that is there, limits, defaults and labels
 * are said one by one: what is not named stays, and `name-` takes one away.
 * @throws Stop `usage` for what can't be read, `missing` for a cluster that is not there.
 */
export async function bodyOf(client: Client, said: Said, before?: Project): Promise<Record<string, unknown>> {
  const body = said.file === undefined ? {} : await fileOf(client, said.file);
  const merged = (field: "limits" | "defaults" | "labels", edits: Record<string, unknown>): void => {
    const old = (body[field] ?? before?.spec[field] ?? {}) as Record<string, unknown>;
    body[field] = Object.fromEntries(Object.entries({ ...old, ...edits }).filter(([, value]) => value !== undefined));
  };
  if (said.title !== undefined) body["title"] = said.title;
  if (said.limit !== undefined) merged("limits", amounts(said.limit));
  if (said.default !== undefined) merged("defaults", amounts(said.default));
  if (said.label !== undefined) merged("labels", pairs(said.label, true));
  if (said.reserve !== undefined) body["reservePercent"] = said.reserve;
  if (said.podSecurity !== undefined) body["podSecurity"] = said.podSecurity;
  if (said.network !== undefined)
    body["network"] = { ...(body["network"] ?? before?.spec.network), mode: said.network };
  if (said.pullSecret !== undefined) body["pullSecret"] = said.pullSecret === "" ? null : said.pullSecret;
  if (said.expires !== undefined) body["expiresAt"] = expiry(said.expires);
  if (said.deletionProtection) body["deletionProtection"] = true;
  if (said.cluster !== undefined) body["places"] = await Promise.all(said.cluster.map((text) => placeOf(client, text)));
  return body;
}

/** `cpu=40,memory=64Gi`, and `cpu-` for what is to be limited no more. */
function amounts(texts: readonly string[]): Record<string, string | number | undefined> {
  const entries = texts
    .flatMap((text) => text.split(","))
    .map((text): [string, string | number | undefined] => {
      const [, name = "", amount] = /^([A-Za-z]+)(?:=(.+)|-)$/.exec(text) ?? [];
      if (name === "") throw new Stop("usage", `${text} is no amount: write name=amount, or name- to take it away.`);
      return [name, amount !== undefined && counts.has(name) && /^\d+$/.test(amount) ? Number(amount) : amount];
    });
  return Object.fromEntries(entries);
}

/** A cluster's name or id, and after a colon its weight. */
async function placeOf(client: Client, text: string): Promise<{ cluster: string; weight?: number }> {
  const [, name = "", weight] = /^([^:]+)(?::(\d+))?$/.exec(text) ?? [];
  if (name === "") throw new Stop("usage", `${text} is no cluster: write its name, or name:weight.`);
  return { cluster: await idOfCluster(client, name), ...(weight !== undefined && { weight: Number(weight) }) };
}

/** A time from now, a time as it is, or `never`. */
function expiry(text: string): string | null {
  if (text === "never") return null;
  if (/^\d+[smhd]?$/.test(text)) return new Date(Date.now() + seconds(text) * 1000).toISOString();
  const time = new Date(text);
  if (Number.isNaN(time.getTime()))
    throw new Stop("usage", `${text} is no time: write 30d, or such as 2027-01-31T00:00:00Z.`);
  return time.toISOString();
}

/** Clusters may be named in it by their names. */
async function fileOf(client: Client, file: string): Promise<Record<string, unknown>> {
  let parsed: unknown;
  try {
    parsed = (await import("yaml")).parse(readFileSync(file, "utf8"));
  } catch (cause) {
    throw new Stop("usage", `${file} can't be read: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
    throw new Stop("usage", `${file} must hold a project's fields.`);
  }
  const body = { ...parsed } as Record<string, unknown>;
  if (!Array.isArray(body["places"])) return body;
  const places = (body["places"] as unknown[]).map(async (place) => {
    const { cluster } = (place ?? {}) as { cluster?: unknown };
    if (typeof cluster !== "string") throw new Stop("usage", `${file}: each of places must name a cluster.`);
    return { ...(place as object), cluster: await idOfCluster(client, cluster) };
  });
  return { ...body, places: await Promise.all(places) };
}
