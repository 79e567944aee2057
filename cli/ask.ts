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
