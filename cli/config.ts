import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { Stop } from "./fault.ts";

/** Where the command speaks to, and as whom. */
export interface Session {
  server: string;
  token: string;
  /** The file that named the token, absolute; undefined when the token came from the environment or a flag. */
  config: string | undefined;
  /** The token file that a flag or the environment named, absolute. */
  tokenFile: string | undefined;
}

/** What a configuration file holds: `login` writes the token itself, `npm start` the path of a file with it. */
interface Kept {
  server: string;
  token?: string;
  tokenFile?: string;
}

export interface Wanted {
  server?: string | undefined;
  tokenFile?: string | undefined;
}

const root = dirname(import.meta.dirname);

/** The launcher, which kubeconfigs name. */
export const launcher = join(root, "bin", "berth");

/** The file that `login` writes. */
export const configPath = (): string =>
  resolve(process.env["BERTH_CONFIG"] || join(homedir(), ".config", "berth", "config.json"));

export const cachePath = (): string => resolve(process.env["BERTH_CACHE"] || join(homedir(), ".cache", "berth"));

/** Our own file first, then what `npm start` wrote; a file that BERTH_CONFIG names stands alone. */
const sources = (): string[] =>
  process.env["BERTH_CONFIG"]
    ? [configPath()]
    : [configPath(), resolve(process.env["BERTH_STATE"] || join(root, ".berth"), "cli.json")];

function read(path: string): (Kept & { path: string }) | undefined {
  if (!existsSync(path)) return undefined;
  try {
    const kept = JSON.parse(readFileSync(path, "utf8")) as Kept;
    if (typeof kept.server !== "string") throw new Error("it names no server");
    return { ...kept, path };
  } catch (cause) {
    throw new Stop("fault", `${path} cannot be read: ${reason(cause)}`, { cause });
  }
}

const reason = (cause: unknown): string => (cause instanceof Error ? cause.message : String(cause));

/** @throws Stop `usage` when the file is not there or empty. */
export function readToken(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, "utf8").trim();
  } catch (cause) {
    throw new Stop("usage", `The token file cannot be read: ${reason(cause)}`, { cause });
  }
  if (text === "") throw new Stop("usage", `The token file ${path} is empty.`);
  return text;
}

/**
 * A server's URL without a trailing slash. Plain http is for this machine only: elsewhere it would show the token.
 * @throws Stop `usage`.
 */
export function checkServer(text: string): string {
  const url = URL.parse(text);
  if (url === null || !["http:", "https:"].includes(url.protocol) || url.username !== "" || url.search !== "") {
    throw new Stop("usage", `${text} is no server: write it like https://berth.example.com`);
  }
  const local = url.hostname === "localhost" || url.hostname === "[::1]" || /^127(\.\d+){3}$/.test(url.hostname);
  if (url.protocol === "http:" && !local) {
    throw new Stop("usage", `${text} would show your token to the network: use https.`);
  }
  return url.href.replace(/\/+$/, "");
}

/** The server to log in to when no flag names one: what is known already. */
export const knownServer = (): string | undefined => {
  const named = process.env["BERTH_SERVER"];
  return (
    named ||
    sources()
      .map(read)
      .find((kept) => kept !== undefined)?.server
  );
};

/**
 * Flags, then the environment, then the files. A file's token is only ever sent to the server that the file names.
 * @throws Stop `unauthenticated` when there is no server or no token.
 */
export function session(flags: Wanted): Session {
  const named = flags.server ?? (process.env["BERTH_SERVER"] || undefined);
  const server = named === undefined ? undefined : checkServer(named);
  const file = flags.tokenFile ?? (process.env["BERTH_TOKEN_FILE"] || undefined);
  const direct = flags.tokenFile === undefined ? process.env["BERTH_TOKEN"] || undefined : undefined;
  const kept = sources()
    .map(read)
    .filter((each) => each !== undefined);
  const given = direct ?? (file === undefined ? undefined : readToken(file));
  if (given !== undefined) {
    const at = server ?? kept[0]?.server;
    if (at === undefined) throw new Stop("unauthenticated", "There is a token but no server: set BERTH_SERVER.");
    const tokenFile = direct === undefined && file !== undefined ? resolve(file) : undefined;
    return { server: checkServer(at), token: given, config: undefined, tokenFile };
  }
  const match = kept.find((each) => server === undefined || checkServer(each.server) === server);
  if (match === undefined) {
    const other = kept[0] === undefined ? "" : ` (you are signed in to ${kept[0].server})`;
    throw new Stop(
      "unauthenticated",
      `You are not signed in${server ? ` to ${server}` : ""}${other}: run berth login.`,
    );
  }
  const token = match.token ?? (match.tokenFile && readToken(resolve(dirname(match.path), match.tokenFile)));
  if (!token) throw new Stop("unauthenticated", `${match.path} holds no token: run berth login.`);
  return { server: checkServer(match.server), token, config: match.path, tokenFile: undefined };
}

/** Writes a file that only its owner may read, whole or not at all. */
export function writePrivate(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const fresh = `${path}.${process.pid}`;
  rmSync(fresh, { force: true });
  writeFileSync(fresh, text, { mode: 0o600, flag: "wx" });
  renameSync(fresh, path);
}

export const saveSession = (kept: { server: string; token: string }): void =>
  writePrivate(configPath(), `${JSON.stringify(kept, null, 2)}\n`);

/** What `login` kept, wherever the environment points: only that is forgotten by `logout`. */
export function keptSession(): { server: string; token: string } | undefined {
  const kept = read(configPath());
  return kept?.token === undefined ? undefined : { server: checkServer(kept.server), token: kept.token };
}

/** @returns whether there was something to forget. */
export function forgetSession(): boolean {
  const there = existsSync(configPath());
  rmSync(configPath(), { force: true });
  rmSync(join(cachePath(), "credentials"), { recursive: true, force: true });
  return there;
}

/**
 * What kubectl has to hand to our credential plugin so that it finds the same server and token from anywhere.
 * Never the token itself: a kubeconfig of this kind holds no secret.
 */
export function environment({ server, config, tokenFile }: Session): { name: string; value: string }[] {
  const entries: Record<string, string> = { BERTH_SERVER: server };
  if (config !== undefined) entries["BERTH_CONFIG"] = config;
  if (tokenFile !== undefined) entries["BERTH_TOKEN_FILE"] = tokenFile;
  return Object.entries(entries).map(([name, value]) => ({ name, value }));
}
