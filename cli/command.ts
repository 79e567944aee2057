import { CommanderError } from "commander";
import { exits, Stop } from "./fault.ts";
import { clean, note } from "./output.ts";
import { program } from "./program.ts";

/** Prints what went wrong and returns how to end. */
function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exits.ok : exits.usage;
  if (error instanceof Stop) {
    note(`berth: ${clean(error.message)}`);
    for (const { field, message } of error.fields) note(`  ${clean(`${field}: ${message}`)}`);
    return exits[error.exit];
  }
  note(`berth: this is a fault in berth itself: ${error instanceof Error ? error.stack : String(error)}`);
  return exits.fault;
}

/** Runs what the process was started with; failures end up in its exit code. */
export async function command(): Promise<void> {
  // A reader that closes early, such as `head`, has what it wanted.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    process.exit(error.code === "EPIPE" ? exits.ok : exits.fault);
  });
  try {
    await program().parseAsync();
  } catch (error) {
    // Not process.exit(): what was printed to a pipe has to get out first.
    process.exitCode = report(error);
  }
}
