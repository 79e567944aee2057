import { text as readAll } from "node:stream/consumers";
import { type Command, Option } from "commander";
import { ask } from "./ask.ts";
import { newClient } from "./client.ts";
import { checkServer, configPath, forgetSession, keptSession, knownServer, readToken, saveSession } from "./config.ts";
import { confirmed } from "./confirmation.ts";
import { Stop } from "./fault.ts";
import { signIn } from "./login.ts";
import { age, note, show, showPage, type Column } from "./output.ts";
import { signedIn, type Flags } from "./run.ts";
import type { Me, Named } from "./shape.ts";

const columns: Column<Me & { server: string }>[] = [
  ["Server", "server"],
  ["Tenant", (me) => `${me.tenant.name} (${me.tenant.id})`],
  ["Member", (me) => `${me.member.name} (${me.member.id})`],
  ["Role", "member.role"],
];
const sessions: Column<Named>[] = [
  ["ID", "id"],
  ["Provider", "name"],
  ["State", "state"],
  ["Member", "member"],
  ["Expires", "expiresAt"],
  ["Last used", "lastUsedAt"],
  ["Age", (row) => age(row["createdAt"] as string | undefined)],
];

interface Login extends Flags {
  tokenStdin?: boolean;
  tenant?: string;
  provider?: string;
  browser?: boolean;
}

async function tokenFrom(flags: Login): Promise<string> {
  if (flags.tokenStdin) {
    const text = (await readAll(process.stdin)).trim();
    if (text === "") throw new Stop("usage", "There was no token on standard input.");
    return text;
  }
  const file = flags.tokenFile ?? process.env["BERTH_TOKEN_FILE"];
  if (file) return readToken(file);
  if (process.stdin.isTTY) return ask("Token: ", { hidden: true });
  throw new Stop("usage", "Give the token by --token-stdin or --token-file, or sign in with --tenant NAME.");
}

async function login(this: Command): Promise<void> {
  const flags = this.optsWithGlobals<Login>();
  const named = flags.server ?? knownServer();
  if (named === undefined) throw new Stop("usage", "Which server? Add --server URL.");
  const { tenant, provider, browser } = flags;
  if (tenant === undefined && (provider !== undefined || browser)) {
    throw new Stop("usage", "Which tenant? Add --tenant NAME.");
  }
  const server = checkServer(named);
  const session =
    tenant === undefined ? undefined : await signIn(newClient(server, undefined), { tenant, provider, browser });
  const token = session?.token ?? (await tokenFrom(flags));
  const me = await newClient(server, token).get<Me>("/v1/me");
  saveSession({ server, token });
  note(`Signed in${session === undefined ? "" : ` until ${session.expiresAt}`}; kept in ${configPath()}.`);
  await show(flags.output ?? "table", { server, ...me }, columns);
}

/** Ends the session where it is, as far as that is possible, and forgets it here in any case. */
async function logout(): Promise<void> {
  const kept = keptSession();
  const left = kept === undefined ? undefined : await ended(kept);
  if (!forgetSession()) return note("You were not signed in.");
  note(`Signed out${left === undefined ? "." : ` here. ${left}`}`);
}

/** @returns what is still to be known, when the token goes on working. */
async function ended({ server, token }: { server: string; token: string }): Promise<string | undefined> {
  try {
    await newClient(server, token).call("DELETE", "/v1/sessions/current");
    return undefined;
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    // It had ended already.
    if (error.exit === "unauthenticated") return undefined;
    if (error.exit === "missing") return "The token itself still works: revoke it where it is not needed.";
    return `The server was not told, so the session goes on to its end: ${error.message}`;
  }
}

export function sessionCommands(root: Command): void {
  root
    .command("login")
    .description("sign in, and keep server and token for later commands")
    .option("--token-stdin", "read the token from standard input")
    .addOption(new Option("--tenant <name>", "sign in by an identity provider of this tenant").conflicts("tokenStdin"))
    .option("--provider <name>", "which one; needed where the tenant has several")
    .option("--browser", "by a browser on this machine, in place of a code that is confirmed on any")
    .action(login);
  root
    .command("logout")
    .description("end the session, and forget server, token and the credentials kept for kubectl")
    .action(logout);
  root
    .command("whoami")
    .description("who you are to the server")
    .action(
      signedIn(async ({ client, format }) => {
        await show(format, { server: client.server, ...(await client.get<Me>("/v1/me")) }, columns);
      }),
    );
  const session = root.command("session").description("sessions: what signing in gave");
  session
    .command("list")
    .description("your sessions; an owner's list has everyone's")
    .addOption(new Option("--state <state>", "only those that are so").choices(["active", "expired", "revoked"]))
    .option("--member <id>", "only this member's")
    .action(
      signedIn(async ({ client, format }, { state, member }: { state?: string; member?: string }) => {
        const query = { kind: "session", state, member, limit: 100 };
        await showPage(format, await client.list<Named>("/v1/tokens", query, true), sessions);
      }),
    );
  session
    .command("end <id>")
    .description("end one of your sessions, or, as an owner, anyone's")
    .action(
      signedIn(async ({ client, format }, id: string) => {
        const at = encodeURIComponent(id);
        const call = (path: string) => client.call<Named>("DELETE", `${path}/${at}`);
        const { value } = await call("/v1/sessions").catch((error: unknown) => {
          // Not one's own: an owner ends it as a token.
          if (error instanceof Stop && error.exit === "missing") return call("/v1/tokens");
          throw error;
        });
        confirmed(value);
        await show(format, value, sessions);
      }),
    );
}
