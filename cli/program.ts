import { Command } from "commander";
import { accessCommands } from "./access.ts";
import { auditCommands } from "./audit.ts";
import { changeCommands } from "./change.ts";
import { clusterCommands } from "./cluster.ts";
import { completionCommand } from "./completion.ts";
import { exits } from "./fault.ts";
import { grantCommands } from "./grant.ts";
import { groupCommands } from "./group.ts";
import { homeCommands } from "./home.ts";
import { logCommands } from "./logs.ts";
import { projectCommands } from "./project.ts";
import { rightsCommands } from "./rights.ts";
import { globals } from "./run.ts";
import { providerCommands } from "./provider.ts";
import { sessionCommands } from "./session.ts";
import { tenantCommands } from "./tenant.ts";

const help = `
Exit codes:
  ${exits.ok}  done
  ${exits.fault}  it failed: refused, invalid, the server unreachable or faulty
  ${exits.usage}  the command was written wrongly
  ${exits.unauthenticated}  not signed in, or the token is not accepted
  ${exits.missing}  there is no such thing
  ${exits.conflict}  it conflicts with what is there
  ${exits.timeout}  not ready in time, or the server is not able to answer now

Settings are looked up in this order: flags; BERTH_SERVER, BERTH_TOKEN, BERTH_TOKEN_FILE; the file BERTH_CONFIG
(~/.config/berth/config.json); in a checkout, what npm start wrote. Without BERTH_CONFIG the last two are both read.`;

/** The whole command, nothing run yet. */
export function program(): Command {
  const root = new Command("berth").description("Kubernetes clusters as a service.");
  root.exitOverride().showHelpAfterError("(add --help for what can be said)");
  root.configureHelp({ showGlobalOptions: true }).addHelpText("after", help);
  globals(root);
  sessionCommands(root);
  const cluster = root.command("cluster").description("clusters: make, watch, change and remove them");
  clusterCommands(cluster);
  changeCommands(cluster);
  accessCommands(root, cluster);
  logCommands(cluster);
  projectCommands(root);
  tenantCommands(root);
  groupCommands(root);
  grantCommands(root);
  providerCommands(root);
  auditCommands(root);
  homeCommands(root);
  // After those of grants, to which it adds.
  rightsCommands(root);
  completionCommand(root);
  each(root);
  return root;
}

/** A subcommand copies its parent's settings when it is made, before they are complete; so they are given again. */
function each(parent: Command): void {
  for (const child of parent.commands) {
    child.copyInheritedSettings(parent);
    each(child);
  }
}
