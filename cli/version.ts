import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { Stop } from "./fault.ts";
import { listCommand } from "./list.ts";

const root = join(import.meta.dirname, "..");

/** What is on offer, and on a stack of one's own machine the building of more. */
export function versionCommands(program: Command): void {
  const version = program.command("version").description("Kubernetes versions");
  listCommand(version, "the versions on offer", "/v1/versions", [
    ["Version", "version"],
    ["State", "state"],
    ["etcd", "etcd"],
    ["Released", "releasedOn"],
    ["Upstream ends", "upstreamEndsOn"],
    ["Regions", "regions"],
  ]);
  version
    .command("add <version>")
    .description("build a version for the host of the stack on this machine, and offer it there")
    .option("--dry-run", "only say what would be built")
    .action(async (name: string, { dryRun }: { dryRun?: boolean }) => {
      const start = join(root, "local", "start.mjs");
      const state = process.env["BERTH_STATE"] ?? join(root, ".berth");
      if (!existsSync(start) || !existsSync(join(state, "host.json"))) {
        const other =
          "Elsewhere, put its images where the host pulls from and say so: berth host update NAME --version V.";
        throw new Stop("usage", `There is no local stack with a host of its own here (npm start makes one). ${other}`);
      }
      const args = [start, "version", "add", name, ...(dryRun === true ? ["--dry-run"] : [])];
      const code = await new Promise<number>((resolve, reject) => {
        const child = spawn(process.execPath, args, { cwd: root, stdio: "inherit" });
        child.once("error", reject).once("close", (ended) => resolve(ended ?? 1));
      });
      if (code !== 0) throw new Stop("fault", `${name} was not added.`);
    });
}
