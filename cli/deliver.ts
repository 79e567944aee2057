import { resolve } from "node:path";
import { writePrivate } from "./config.ts";
import { show } from "./output.ts";
import type { Run } from "./run.ts";

/** Where a kubeconfig goes: to a file, into the user's own, or, with neither, to standard output. */
export interface Delivery {
  merge?: boolean;
  file?: string;
  /** The context that is current in the user's own file stays so. */
  keepCurrent?: boolean;
}

export async function deliver(run: Run, text: string, { file: name, merge, keepCurrent }: Delivery): Promise<void> {
  if (name !== undefined) {
    const file = resolve(name);
    writePrivate(file, text);
    return show(run.format, { file }, [["Kubeconfig", "file"]]);
  }
  if (merge) {
    const { merge: into } = await import("./merge.ts");
    return show(run.format, into(text, keepCurrent), [
      ["Kubeconfig", "file"],
      ["Context", "context"],
    ]);
  }
  const { parse } = await import("yaml");
  if (run.asked === "json") process.stdout.write(`${JSON.stringify(parse(text), null, 2)}\n`);
  else process.stdout.write(text);
}
