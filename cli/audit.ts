import type { Command } from "commander";
import { createWriteStream, readFileSync, renameSync, rmSync } from "node:fs";
import { resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import type { Client } from "./client.ts";
import { Stop } from "./fault.ts";
import { clean, note, show, showPage, type Column } from "./output.ts";
import { find, many, signedIn, whole } from "./run.ts";
import type { Page } from "./shape.ts";
import { type Digest, type Head, type Key, verify, type Verdict } from "./verify.ts";

interface Period {
  from?: string;
  to?: string;
}

interface Searched extends Period {
  actor?: string;
  verb?: string;
  target?: string;
  limit?: number;
  after?: string;
  all?: boolean;
}

interface Verifying {
  file?: string;
  digests?: string;
  key?: string[];
  head?: Head[];
  json?: boolean;
}

interface Listed {
  actor: { member: string; name?: string };
  target: string;
  targetName?: string;
}

/** A tenant's digests and what they are checked with, as `berth audit digests -o json` prints them. */
interface Book {
  /** When they were read, ISO 8601 UTC. */
  at: string;
  items: Digest[];
  head: Head | null;
  keys: Key[];
}

const entries: Column<Listed>[] = [
  ["At", "at"],
  ["Actor", ({ actor }) => actor.name ?? actor.member],
  ["Verb", "verb"],
  ["Target", ({ target, targetName }) => (targetName === undefined ? target : `${targetName} (${target})`)],
  ["Fields", "changes"],
  ["Request", "requestID"],
];

const digests: Column<Digest>[] = [
  ["Digest", "sequence"],
  ["Sealed", "at"],
  ["From", "from"],
  ["To", "to"],
  ["Entries", (row) => row.entries.length],
  ["Key", "keyID"],
];

/** The end of the chain is taken before its digests: it may grow meanwhile, and may not shrink. */
async function readBook(client: Client): Promise<Book> {
  const first = await client.get<Page<Digest> & { head: Head | null }>("/v1/audit/digests", { limit: 100 });
  const items = [...first.items];
  if (first.next !== null) {
    items.push(...(await client.list<Digest>("/v1/audit/digests", { limit: 100, after: first.next }, true)).items);
  }
  const keys = (await client.list<Key>("/v1/audit/keys", { limit: 100 }, true)).items;
  return { at: new Date().toISOString(), items, head: first.head, keys };
}

function readFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    throw new Stop("usage", `${path} cannot be read: ${(cause as Error).message}`, { cause });
  }
}

function readBookFile(path: string): Book {
  const text = readFile(path);
  try {
    const { at, items, head, keys } = JSON.parse(text) as Book;
    if (Array.isArray(items) && Array.isArray(keys) && head !== undefined && Number.isFinite(Date.parse(at)))
      return { at, items, head, keys };
  } catch {
    // It is answered like a file of another form.
  }
  throw new Stop("usage", `${path} is not what berth audit digests -o json prints.`);
}

async function check(client: () => Client, { file, digests: bookFile, key, head = [] }: Verifying): Promise<Verdict> {
  const book = bookFile === undefined ? await readBook(client()) : readBookFile(bookFile);
  const pieces: Uint8Array[] = [];
  if (file === undefined) for await (const piece of client().stream("/v1/audit/export")) pieces.push(piece);
  const text = file === undefined ? Buffer.concat(pieces).toString() : readFile(file);
  const at = Date.parse(book.at);
  return verify({
    lines: text.split("\n").filter((line) => line !== ""),
    digests: book.items,
    keys: key === undefined ? book.keys : book.keys.filter(({ id }) => key.includes(id)),
    heads: [...head, ...(book.head === null ? [] : [book.head])],
    at,
    until: file === undefined ? Date.now() : at,
  });
}

/** `12:` and the digest's SHA-256, as an earlier check printed it. */
function headOf(text: string, before: Head[] = []): Head[] {
  const [, sequence, sha256] = /^(\d{1,12}):([0-9a-f]{64})$/.exec(text) ?? [];
  if (sequence === undefined || sha256 === undefined)
    throw new Stop("usage", `${text} is no head: copy one of a check.`);
  return [...before, { sequence: Number(sequence), sha256 }];
}

async function save(pieces: AsyncIterable<Uint8Array>, file: string | undefined): Promise<void> {
  if (file === undefined) return pipeline(pieces, process.stdout, { end: false });
  // What breaks off in the middle must not look like an export.
  const path = resolve(file);
  const fresh = `${path}.${process.pid}`;
  try {
    await pipeline(pieces, createWriteStream(fresh, { mode: 0o600, flags: "wx" }));
    renameSync(fresh, path);
  } finally {
    rmSync(fresh, { force: true });
  }
}

/** Who is gone is known by id alone, so what looks like one is taken as it is. */
const actorOf = async (client: Client, name: string | undefined): Promise<string | undefined> =>
  name === undefined || name === "system" || name.startsWith("mbr_") ? name : (await find(client, "member", name)).id;

const period = (command: Command): Command =>
  command
    .option("--from <time>", "no earlier than this, such as 2026-01-31T00:00:00Z")
    .option("--to <time>", "no later than this");

/** Who did what, and the proof that nobody changed what was written of it. */
export function auditCommands(root: Command): void {
  const audit = root.command("audit").description("who did what, and whether that was altered");
  period(audit.command("list").description("search the audit entries, newest first"))
    .option("--actor <member>", "who did it: a member's name or id, or system")
    .option("--verb <noun:verb>", "what was done, such as cluster:create, or cluster for all of it")
    .option("--target <id>", "what it was done to")
    .option("--limit <n>", "how many at most", whole)
    .option("--after <cursor>", "go on after an earlier page")
    .option("--all", "every page")
    .action(
      signedIn(async ({ client, format }, { all, ...asked }: Searched) => {
        const actor = await actorOf(client, asked.actor);
        const query = { ...asked, actor, limit: asked.limit ?? (all ? 100 : undefined) };
        await showPage(format, await client.list<Listed>("/v1/audit", query, all), entries);
      }),
    );
  period(
    audit.command("export").description("every entry as it was sealed, oldest first, one JSON object on each line"),
  )
    .option("-f, --file <file>", "write it to a file that only you may read")
    .option("--names", "add what things are called now; such an export can't be checked by berth audit verify")
    .action(
      signedIn(async ({ client }, { file, names, ...between }: Period & { file?: string; names?: boolean }) => {
        const query = { ...between, names: names ? "true" : undefined };
        await save(client.stream("/v1/audit/export", query), file);
      }),
    );
  audit
    .command("digests")
    .description("the signed digests; with -o json all that a check needs beside the export")
    .action(
      signedIn(async ({ client, format }) => {
        const book = await readBook(client);
        if (format === "table") await showPage(format, { items: book.items, next: null }, digests);
        else await show(format, book, []);
      }),
    );
  verifyCommand(audit);
}

function verifyCommand(audit: Command): void {
  audit
    .command("verify")
    .description("check every entry against the signed digests: 0 when all is whole, 1 with each finding on a line")
    .option("--file <file>", "a whole export that was saved, in place of the server's")
    .option("--digests <file>", "what berth audit digests -o json printed before that export")
    .option("--key <id>", "accept this signing key and no other (repeat)", many)
    .option("--head <head>", "an end of the chain that an earlier check printed (repeat)", headOf)
    .option("--json", "print the result as JSON")
    .action(async function (this: Command, options: Verifying) {
      const saved = options.digests !== undefined;
      if (saved !== (options.file !== undefined)) throw new Stop("usage", "--file and --digests go together.");
      // Saved files are checked without a server, so nobody has to be signed in for them.
      if (saved) return report(await check(noClient, options), options.json);
      const online = signedIn(async ({ client, asked }, _options: Verifying) =>
        report(await check(() => client, options), options.json ?? asked === "json"),
      );
      await online.call(this, options, this);
    });
}

const noClient = (): Client => {
  throw new Error("saved files are checked without a server");
};

/** @throws Stop `fault` when anything was found. */
function report(verdict: Verdict, json = false): void {
  const { findings, head, keys } = verdict;
  if (json) process.stdout.write(`${JSON.stringify({ whole: findings.length === 0, ...verdict }, null, 2)}\n`);
  else {
    for (const { what, subject, message } of findings)
      process.stdout.write(`${clean(`${what} ${subject}: ${message}`)}\n`);
    if (findings.length === 0) {
      const rest = verdict.entries - verdict.sealed;
      process.stdout.write(`whole: ${verdict.sealed} entries in ${verdict.digests} digests; ${rest} too new for one\n`);
    }
    for (const key of keys) note(`Signed with ${clean(key)}.`);
    if (head !== null && findings.length === 0)
      note(`Keep this for the next check: --head ${head.sequence}:${head.sha256}`);
  }
  const { length } = findings;
  if (length > 0)
    throw new Stop("fault", `The audit is not whole: ${length} ${length === 1 ? "finding" : "findings"}.`);
}
