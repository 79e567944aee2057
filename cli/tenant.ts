import type { Command } from "commander";
import { quotaCommand } from "./limit.ts";
import { memberCommands } from "./member.ts";
import { tokenCommands } from "./token.ts";
import { versionCommands } from "./version.ts";

/** What concerns the caller's own tenant, clusters apart. */
export function tenantCommands(root: Command): void {
  tokenCommands(root);
  memberCommands(root);
  quotaCommand(root);
  versionCommands(root);
}
