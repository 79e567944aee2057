import { InvalidArgumentError, Option, type Command } from "commander";
import { newClient, type Client } from "./client.ts";
import { session, type Session } from "./config.ts";
import { Stop } from "./fault.ts";
import type { Format } from "./output.ts";
import type { Cluster, Named } from "./shape.ts";

/** What every command may be told. */
export interface Flags {
  output?: Format;
  server?: string;
  tokenFile?: string;
}

/** What a command that is signed in works with. */
export interface Run {
  client: Client;
  session: Session;
  format: Format;
  /** The format that was asked for, if one was. */
  asked: Format | undefined;
}

export const globals = (program: Command): Command =>
  program
    .addOption(new Option("-o, --output <format>", "how to print the result").choices(["table", "json", "yaml"]))
    .option("--server <url>", "the server (or BERTH_SERVER)")
    .option("--token-file <file>", "a file that holds the token (or BERTH_TOKEN_FILE, or BERTH_TOKEN itself)");

/** A command's action that needs a server and a token; its arguments are commander's, the command itself left out. */
export const signedIn = <A extends unknown[]>(work: (run: Run, ...args: A) => Promise<void>) =>
  async function (this: Command, ...args: unknown[]): Promise<void> {
    const flags = this.optsWithGlobals<Flags>();
    const at = session(flags);
    const client = newClient(at.server, at.token);
    const rest = args.slice(0, -1) as A;
    await work({ client, session: at, format: flags.output ?? "table", asked: flags.output }, ...rest);
  };

const clusterID = /^cls_[0-7][0-9a-hjkmnp-tv-z]{25}$/;

/** The id of the cluster that a name or an id means. @throws Stop `missing`. */
export async function idOfCluster(client: Client, name: string): Promise<string> {
  if (clusterID.test(name)) return name;
  const { items } = await client.list<Cluster>("/v1/clusters", { name });
  const found = items.find((each) => each.name === name);
  if (found === undefined) throw new Stop("missing", `There is no cluster named ${name}.`);
  return found.id;
}

const paths = {
  token: "/v1/tokens",
  member: "/v1/members",
  team: "/v1/teams",
  invite: "/v1/invites",
  provider: "/v1/providers",
  group: "/v1/groups",
  project: "/v1/projects",
  host: "/v1/home/hosts",
  tenant: "/v1/home/tenants",
};

/**
 * The thing that a name or an id means; a token or an invite that was revoked is none any more.
 * @throws Stop `missing`, or `usage` when two have that name.
 */
export async function find(client: Client, noun: keyof typeof paths, name: string): Promise<Named> {
  const all = (await client.list<Named>(paths[noun], { limit: 100 }, true)).items;
  const items = all.filter((each) => (each["revokedAt"] ?? null) === null);
  const found = items.filter((each) => each.id === name);
  // A rotated token has its successor's name while both work; the name means the one that stays.
  const stays = items.filter((each) => each["replacedBy"] === undefined && each["state"] !== "expired");
  if (found.length === 0) found.push(...stays.filter((each) => each.name === name));
  if (found.length > 1) throw new Stop("usage", `${found.length} ${noun}s are named ${name}: say the id.`);
  if (found[0] === undefined) throw new Stop("missing", `There is no ${noun} ${name}.`);
  return found[0];
}

// Readers of option values.

const unitSeconds: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 };

/** Seconds of `90`, `90s`, `5m`, `1h` or `2d`. */
export function seconds(text: string): number {
  const [, count, unit = "s"] = /^(\d+)([smhd]?)$/.exec(text) ?? [];
  if (count === undefined) throw new InvalidArgumentError("Write it like 30s, 5m or 1h.");
  return Number(count) * (unitSeconds[unit] ?? 1);
}

export function whole(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(text);
}

/** For options that may be repeated. */
export const many = (text: string, before: string[] = []): string[] => [...before, text];

/** `k=v` pairs, and with `removal` also `k-`, which stands for undefined. @throws Stop `usage`. */
export function pairs(texts: readonly string[], removal = false): Record<string, string | undefined> {
  const entries = texts.map((text): [string, string | undefined] => {
    const at = text.indexOf("=");
    if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
    if (removal && at < 0 && text.endsWith("-") && text.length > 1) return [text.slice(0, -1), undefined];
    throw new Stop("usage", `${text} is no label: write key=value${removal ? ", or key- to remove it" : ""}.`);
  });
  return Object.fromEntries(entries);
}
