import { enableCompileCache } from "node:module";
import { homedir } from "node:os";
import { join } from "node:path";

// kubectl waits for us at each of its starts, and reading our sources is most of our time; so Node keeps what it read.
// That has to be asked for before anything else is imported, which is why the rest is behind an import of its own.
enableCompileCache(join(process.env["BERTH_CACHE"] || join(homedir(), ".cache", "berth"), "compile"));
const { command } = await import("./command.ts");
await command();
