import { Option, type Command } from "commander";
import { environment, launcher, type Session } from "./config.ts";
import { Stop } from "./fault.ts";
import { deliver } from "./deliver.ts";
import { note } from "./output.ts";
import { signedIn } from "./run.ts";
import type { ClusterContext } from "./shape.ts";

interface Wanted {
  merge?: boolean;
  file?: string;
}

/**
 * One kubeconfig of all clusters: a context for each, and one for each project on it, whose namespace it is in. It holds
 * no secret: each cluster's user is our credential plugin.
 */
function configOf(places: ClusterContext[], session: Session): object {
  const env = environment(session);
  const exec = (cluster: string): object => ({
    apiVersion: "client.authentication.k8s.io/v1",
    command: launcher,
    args: ["credential", "--cluster", cluster],
    env,
    interactiveMode: "Never",
    provideClusterInfo: false,
  });
  const contexts = places.flatMap(({ name, projects }) => [
    { name, context: { cluster: name, user: name } },
    ...projects.map((project) => ({
      name: `${project.name}.${name}`,
      context: { cluster: name, user: name, namespace: project.name },
    })),
  ]);
  return {
    apiVersion: "v1",
    kind: "Config",
    clusters: places.map(({ name, server, serverName, authority }) => ({
      name,
      cluster: {
        server,
        "tls-server-name": serverName,
        "certificate-authority-data": Buffer.from(authority).toString("base64"),
      },
    })),
    users: places.map(({ name, cluster }) => ({ name, user: { exec: exec(cluster) } })),
    contexts,
    "current-context": contexts[0]?.name ?? "",
  };
}

/** `berth kubeconfig`: every cluster and project that one has a right in, in one file. */
export function contextCommands(root: Command): void {
  root
    .command("kubeconfig")
    .description("one kubeconfig for all clusters and projects that you have a right in; it holds no secret")
    .addOption(
      new Option("--merge", "merge into KUBECONFIG or ~/.kube/config; its current context stays").conflicts("file"),
    )
    .option("-f, --file <file>", "write it to a file that only you may read")
    .action(
      signedIn(async (run, options: Wanted) => {
        const { items } = await run.client.list<ClusterContext>("/v1/me/contexts", { limit: 100 }, true);
        if (items.length === 0) throw new Stop("missing", "You have no right in any cluster that is up.");
        if (run.session.config === undefined && run.session.tokenFile === undefined) {
          note(
            "Your token came from BERTH_TOKEN, which this kubeconfig does not hold: kubectl needs it in its environment.",
          );
        }
        const { stringify } = await import("yaml");
        await deliver(run, stringify(configOf(items, run.session), { lineWidth: 0 }), {
          ...options,
          keepCurrent: true,
        });
      }),
    );
}
