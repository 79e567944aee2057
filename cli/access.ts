import { Option, type Command } from "commander";
import { resolve } from "node:path";
import { launcher, writePrivate, type Session } from "./config.ts";
import { credential } from "./credential.ts";
import { Stop } from "./fault.ts";
import { note, show } from "./output.ts";
import { idOfCluster, signedIn, type Run } from "./run.ts";

interface Wanted {
  token?: boolean;
  seconds?: string;
  merge?: boolean;
  file?: string;
}

/**
 * What kubectl has to hand to our credential plugin so that it finds the same server and token from anywhere.
 * Never the token itself: a kubeconfig of this kind holds no secret.
 */
function environment({ server, config, tokenFile }: Session): { name: string; value: string }[] {
  const entries: Record<string, string> = { BERTH_SERVER: server };
  if (config !== undefined) entries["BERTH_CONFIG"] = config;
  if (tokenFile !== undefined) entries["BERTH_TOKEN_FILE"] = tokenFile;
  return Object.entries(entries).map(([name, value]) => ({ name, value }));
}

async function fetchText({ client, session }: Run, id: string, { token, seconds }: Wanted): Promise<string> {
  if (token) {
    const body = { seconds: lifetime(seconds) };
    const asked = { body };
    return (await client.call<{ kubeconfig: string }>("POST", `/v1/kube/clusters/${id}/kubeconfig`, asked)).value
      .kubeconfig;
  }
  if (seconds !== undefined) throw new Stop("usage", "--seconds belongs to --token.");
  const { isMap, isSeq, parseDocument } = await import("yaml");
  const document = parseDocument(await client.text(`/v1/clusters/${id}/kubeconfig`));
  const users = document.get("users");
  if (document.errors.length > 0 || !isSeq(users)) throw new Stop("fault", "The server's answer is no kubeconfig.");
  for (const user of users.items) {
    if (isMap(user) && user.hasIn(["user", "exec"])) {
      // Set here, not asked of the server: it would have to refuse a path with a space.
      user.setIn(["user", "exec", "command"], launcher);
      user.setIn(["user", "exec", "env"], document.createNode(environment(session)));
    }
  }
  if (session.config === undefined && session.tokenFile === undefined) {
    note("Your token came from BERTH_TOKEN, which this kubeconfig does not hold: kubectl needs it in its environment.");
  }
  return document.toString({ lineWidth: 0 });
}

function lifetime(text = "3600"): number {
  const seconds = Number(text);
  if (!Number.isInteger(seconds) || seconds < 600 || seconds > 86_400) {
    throw new Stop("usage", "--seconds must be 600 to 86400.");
  }
  return seconds;
}

async function deliver(run: Run, text: string, options: Wanted): Promise<void> {
  if (options.file !== undefined) {
    const file = resolve(options.file);
    writePrivate(file, text);
    return show(run.format, { file }, [["Kubeconfig", "file"]]);
  }
  if (options.merge) {
    const { merge } = await import("./merge.ts");
    return show(run.format, merge(text), [
      ["Kubeconfig", "file"],
      ["Context", "context"],
    ]);
  }
  const { parse } = await import("yaml");
  if (run.asked === "json") process.stdout.write(`${JSON.stringify(parse(text), null, 2)}\n`);
  else process.stdout.write(text);
}

/** The way into clusters: kubeconfigs, and kubectl's credential plugin. */
export function accessCommands(root: Command, cluster: Command): void {
  cluster
    .command("kubeconfig <name>")
    .description("a kubeconfig for kubectl; without --token it holds no secret and asks berth for credentials")
    .option("--token", "put one short-lived token inside, for where berth is not installed")
    .option("--seconds <n>", "how long that token works: 600 to 86400 (3600)")
    .addOption(new Option("--merge", "merge into KUBECONFIG or ~/.kube/config, and make it current").conflicts("file"))
    .option("-f, --file <file>", "write it to a file that only you may read")
    .action(
      signedIn(async (run, name: string, options: Wanted) => {
        const text = await fetchText(run, await idOfCluster(run.client, name), options);
        await deliver(run, text, options);
      }),
    );
  root
    .command("credential", { hidden: true })
    .description("kubectl's credential plugin: prints an ExecCredential, and nothing else, on standard output")
    .requiredOption("--cluster <id>", "the cluster's id")
    .option("--fresh", "do not use the credential that is kept")
    .action(
      signedIn(async ({ client, session }, options: { cluster: string; fresh?: boolean }) => {
        process.stdout.write(`${JSON.stringify(await credential(client, session, options.cluster, options.fresh))}\n`);
      }),
    );
}
