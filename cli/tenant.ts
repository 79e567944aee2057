import type { Command } from "commander";
import { inviteCommands } from "./invite.ts";
import { quotaCommand } from "./limit.ts";
import { memberCommands } from "./member.ts";
import { teamCommands } from "./team.ts";
import { tokenCommands } from "./token.ts";
import { versionCommands } from "./version.ts";

/** What concerns the caller's own tenant, clusters apart. */
export function tenantCommands(root: Command): void {
  tokenCommands(root);
  memberCommands(root);
  teamCommands(root);
  inviteCommands(root);
  quotaCommand(root);
  versionCommands(root);
}
