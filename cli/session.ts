import { text as readAll } from "node:stream/consumers";
import type { Command } from "commander";
import { ask } from "./ask.ts";
import { newClient } from "./client.ts";
import { checkServer, configPath, forgetSession, knownServer, readToken, saveSession } from "./config.ts";
import { Stop } from "./fault.ts";
import { note, show, type Column } from "./output.ts";
import { signedIn, type Flags } from "./run.ts";
import type { Me } from "./shape.ts";

const columns: Column<Me & { server: string }>[] = [
  ["Server", "server"],
  ["Tenant", (me) => `${me.tenant.name} (${me.tenant.id})`],
  ["Member", (me) => `${me.member.name} (${me.member.id})`],
  ["Role", "member.role"],
];

async function tokenFrom(flags: Flags & { tokenStdin?: boolean }): Promise<string> {
  if (flags.tokenStdin) {
    const text = (await readAll(process.stdin)).trim();
    if (text === "") throw new Stop("usage", "There was no token on standard input.");
    return text;
  }
  const file = flags.tokenFile ?? process.env["BERTH_TOKEN_FILE"];
  if (file) return readToken(file);
  if (process.stdin.isTTY) return ask("Token: ", { hidden: true });
  throw new Stop("usage", "Give the token by --token-stdin or --token-file.");
}

export function sessionCommands(root: Command): void {
  root
    .command("login")
    .description("sign in, and keep server and token for later commands")
    .option("--token-stdin", "read the token from standard input")
    .action(async function (this: Command) {
      const flags = this.optsWithGlobals<Flags & { tokenStdin?: boolean }>();
      const named = flags.server ?? knownServer();
      if (named === undefined) throw new Stop("usage", "Which server? Add --server URL.");
      const server = checkServer(named);
      const token = await tokenFrom(flags);
      const me = await newClient(server, token).get<Me>("/v1/me");
      saveSession({ server, token });
      note(`Signed in; kept in ${configPath()}.`);
      await show(flags.output ?? "table", { server, ...me }, columns);
    });
  root
    .command("logout")
    .description("forget server, token and the credentials kept for kubectl")
    .action(() => {
      note(
        forgetSession()
          ? "Signed out here. The token itself still works: revoke it where it is not needed."
          : "You were not signed in.",
      );
    });
  root
    .command("whoami")
    .description("who you are to the server")
    .action(
      signedIn(async ({ client, format }) => {
        await show(format, { server: client.server, ...(await client.get<Me>("/v1/me")) }, columns);
      }),
    );
}
