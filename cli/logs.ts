import type { Command } from "commander";
import { setTimeout as sleep } from "node:timers/promises";
import type { Client } from "./client.ts";
import { Stop } from "./fault.ts";
import { idOfCluster, signedIn, whole } from "./run.ts";

interface Asked {
  component?: string;
  lines?: number;
  since?: string;
  previous?: boolean;
  follow?: boolean;
}

const everyMs = 2_000;

/**
 * What of a text is new. Lines are asked for by the second, so those of the last second come again and again; a line
 * begins with its time, to the nanosecond and always as wide, so times compare as texts.
 */
export function newTail(): { add(text: string): string; since: string | undefined } {
  let last = "";
  let told = new Map<string, number>();
  return {
    add(text) {
      const met = new Map<string, number>();
      const fresh = text.split(/(?<=\n)/).filter((line) => {
        const time = line.slice(0, line.indexOf(" "));
        if (time < last) return false;
        if (time > last) {
          last = time;
          told = new Map();
          met.clear();
        }
        // The same words may be said twice within one nanosecond; what was told so often is not told again.
        met.set(line, (met.get(line) ?? 0) + 1);
        if ((met.get(line) ?? 0) <= (told.get(line) ?? 0)) return false;
        told.set(line, met.get(line) ?? 0);
        return true;
      });
      return fresh.join("");
    },
    get since() {
      return last === "" ? undefined : last;
    },
  };
}

async function follow(client: Client, path: string, query: Record<string, string | number | undefined>): Promise<void> {
  const tail = newTail();
  for (let asked = query; ; asked = { ...query, lines: 5_000, since: tail.since ?? query["since"] }) {
    try {
      process.stdout.write(tail.add(await client.text(path, asked)));
    } catch (error) {
      // Between two Pods there is none for a moment.
      const passing = error instanceof Stop && (error.exit === "conflict" || error.exit === "timeout");
      if (!passing) throw error;
    }
    await sleep(everyMs);
  }
}

/** What a cluster's control plane says. */
export function logCommands(cluster: Command): void {
  cluster
    .command("logs <name>")
    .description("what a part of its control plane says, each line with its time")
    .option("--component <part>", "kube-apiserver, etcd, kube-controller-manager or kube-scheduler (kube-apiserver)")
    .option("--lines <n>", "the newest so many, 1 to 5000 (200)", whole)
    .option("--since <time>", "only lines from this time on, such as 2026-01-05T08:00:00Z")
    .option("--previous", "of the container that ran before")
    .option("-f, --follow", "go on as more is said")
    .action(
      signedIn(async ({ client }, name: string, { follow: on, previous, ...asked }: Asked) => {
        const path = `/v1/kube/clusters/${await idOfCluster(client, name)}/logs`;
        if (on) return follow(client, path, { ...asked });
        const query = { ...asked, ...(previous && { previous: "true" }) };
        process.stdout.write(await client.text(path, query));
      }),
    );
}
