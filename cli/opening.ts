import { type Command, Option } from "commander";
import type { Client } from "./client.ts";
import { Stop } from "./fault.ts";
import { show } from "./output.ts";
import { many, pairs, signedIn } from "./run.ts";
import { at, details, findProject, type Project } from "./space.ts";

interface Opened {
  from?: string;
  to?: string;
  port?: string[];
  pod?: string[];
}

const portOf = (text: string): { port: number; protocol: string } => {
  const [, number, protocol = "TCP"] = /^(\d{1,5})(?:\/(tcp|udp|sctp))?$/i.exec(text) ?? [];
  if (number === undefined) throw new Stop("usage", `${text} is no port: write 8080, or 53/udp.`);
  return { port: Number(number), protocol: protocol.toUpperCase() };
};

/** A range of addresses, `all` for every namespace of the cluster, or another project by its name or id. */
async function peerOf(client: Client, text: string): Promise<object> {
  if (text === "all") return { namespaces: "all" };
  return text.includes("/") ? { cidr: text } : { project: (await findProject(client, text)).id };
}

async function withOpenings(client: Client, found: Project, openings: object[]): Promise<Project> {
  const headers = { "if-match": `"${found.generation}"` };
  const body = { network: { ...found.spec.network, openings } };
  return (await client.call<Project>("PATCH", at(found.id), { body, headers })).value;
}

/** Ways through a project's default deny, by name. */
export function openingCommands(project: Command): void {
  project
    .command("open <name> <opening>")
    .description("let something through a project's isolated network, under a name")
    .addOption(
      new Option("--from <peer>", "what may come in: another project, all, or a range of addresses").conflicts("to"),
    )
    .option("--to <peer>", "where its Pods may go: another project, all, or a range of addresses")
    .option("--port <port[/protocol]>", "only there (repeat)", many)
    .option("--pod <key=value>", "only for Pods with this label (repeat)", many)
    .action(
      signedIn(async ({ client, format }, name: string, opening: string, { from, to, port, pod }: Opened) => {
        const peer = from ?? to;
        if (peer === undefined) throw new Stop("usage", "Say --from or --to.");
        const found = await findProject(client, name);
        const others = found.spec.network.openings.filter((one) => one.name !== opening);
        const added = {
          name: opening,
          direction: from === undefined ? "egress" : "ingress",
          peer: await peerOf(client, peer),
          ...(port !== undefined && { ports: port.map(portOf) }),
          ...(pod !== undefined && { pods: pairs(pod) }),
        };
        await show(format, await withOpenings(client, found, [...others, added]), details);
      }),
    );
  project
    .command("close <name> <opening>")
    .description("take an opening away")
    .action(
      signedIn(async ({ client, format }, name: string, opening: string) => {
        const found = await findProject(client, name);
        const others = found.spec.network.openings.filter((one) => one.name !== opening);
        if (others.length === found.spec.network.openings.length) {
          throw new Stop("missing", `${found.name} has no opening ${opening}.`);
        }
        await show(format, await withOpenings(client, found, others), details);
      }),
    );
}
