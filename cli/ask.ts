import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { Stop } from "./fault.ts";

/** A line from the terminal; the question goes to stderr, so stdout stays the result's. @throws Stop `usage` at its end. */
export function ask(question: string, options: { hidden?: boolean } = {}): Promise<string> {
  const muted = new Writable({ write: (_chunk, _encoding, done) => done() });
  const output = options.hidden ? muted : process.stderr;
  const lines = createInterface({ input: process.stdin, output, terminal: true });
  if (options.hidden) process.stderr.write(question);
  return new Promise((resolve, reject) => {
    let answered = false;
    lines.once("close", () => {
      if (options.hidden) process.stderr.write("\n");
      if (!answered) reject(new Stop("usage", "There was no answer."));
    });
    lines.question(options.hidden ? "" : question, (answer) => {
      answered = true;
      lines.close();
      resolve(answer.trim());
    });
  });
}

/**
 * What can't be undone is said by name: typed once more where somebody sits; a script has to say --yes.
 * @throws Stop `usage` when it is not.
 */
export async function sure(name: string, what: string, { yes }: { yes?: boolean }): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY) throw new Stop("usage", `${what}: add --yes.`);
  const answer = await ask(`${what}. Type its name to go on: `);
  if (answer !== name) throw new Stop("usage", "That is another name; nothing was done.");
}
