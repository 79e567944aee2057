import { Option, type Command } from "commander";
import { environment, launcher } from "./config.ts";
import { contextCommands } from "./contexts.ts";
import { credential, patienceMs } from "./credential.ts";
import { deliver } from "./deliver.ts";
import { Stop } from "./fault.ts";
import { note } from "./output.ts";
import { idOfCluster, signedIn, type Run } from "./run.ts";

interface Wanted {
  token?: boolean;
  seconds?: string;
  merge?: boolean;
  file?: string;
}

async function fetchText({ client, session }: Run, id: string, { token, seconds }: Wanted): Promise<string> {
  if (token) {
    const body = { seconds: lifetime(seconds) };
    const asked = { body, patienceMs };
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

function lifetime(text = "600"): number {
  const seconds = Number(text);
  if (!Number.isInteger(seconds) || seconds < 600 || seconds > 86_400) {
    throw new Stop("usage", "--seconds must be 600 to 86400.");
  }
  return seconds;
}

/** The way into clusters: kubeconfigs, and kubectl's credential plugin. */
export function accessCommands(root: Command, cluster: Command): void {
  contextCommands(root);
  cluster
    .command("kubeconfig <name>")
    .description("a kubeconfig for kubectl; without --token it holds no secret and asks berth for credentials")
    .option("--token", "put one short-lived token inside, for where berth is not installed")
    .option("--seconds <n>", "how long that token works: 600 to 86400 (600)")
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
