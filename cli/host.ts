import { readFileSync } from "node:fs";
import { InvalidArgumentError, type Command } from "commander";
import { sure } from "./ask.ts";
import { Stop } from "./fault.ts";
import { listCommand } from "./list.ts";
import { age, note, show, type Column } from "./output.ts";
import { find, many, signedIn } from "./run.ts";
import type { Named } from "./shape.ts";

const short: Column<Named>[] = [
  ["Name", "name"],
  ["ID", "id"],
  ["Region", "region"],
  ["State", "state"],
  ["Healthy", (row) => (row["healthy"] === true ? "yes" : `no, since ${text(row["unhealthySince"])}`)],
  ["Used", "seats.taken"],
  ["Free", "seats.free"],
  ["Fenced", (row) => (row["fenced"] === null ? "unknown" : row["fenced"] === true ? "yes" : "no")],
  ["Policy", (row) => row["policyEngine"] ?? "none"],
  ["Versions", "versions"],
  ["Age", (row) => age(row["createdAt"] as string | undefined)],
];
const long: Column<Named>[] = [
  ["Title", "title"],
  ...short,
  ["Address", "address"],
  ["Ports", (row) => span(row["ports"])],
  ["Zones", "zones"],
  ["Images", "imagePrefix"],
  ["Storage class", "storageClass"],
  ["Home's ranges", "homeRanges"],
  ["Runs", "runs"],
  ["Checked", "checkedAt"],
  ["Last well", "healthyAt"],
];

const text = (value: unknown): string => (typeof value === "string" ? value : "?");

const span = (ports: unknown): unknown => {
  const { from, to } = (ports ?? {}) as { from?: number; to?: number };
  return from === undefined ? ports : `${from}-${to}`;
};

function range(written: string): { from: number; to: number } {
  const [, from, to] = /^(\d+)-(\d+)$/.exec(written) ?? [];
  if (from === undefined || to === undefined || Number(from) > Number(to)) {
    throw new InvalidArgumentError("Write it like 30000-30199.");
  }
  return { from: Number(from), to: Number(to) };
}

function readConfig(path: string): string {
  try {
    return readFileSync(path === "-" ? 0 : path, "utf8");
  } catch (cause) {
    throw new Stop("usage", `The kubeconfig cannot be read: ${(cause as Error).message}`, { cause });
  }
}

interface Told {
  title?: string;
  version?: string[];
  zone?: string[];
  policyEngine?: string;
  homeRange?: string[];
}
interface Registered extends Told {
  kubeconfig: string;
  name: string;
  region: string;
  address: string;
  ports: { from: number; to: number };
  imagePrefix: string;
  storageClass: string;
  serviceCidr: string[];
  podCidr: string[];
}

/** What was said, under the API's own names; `none` stands for nothing. */
function told({ title, version, zone, policyEngine, homeRange }: Told): Record<string, unknown> {
  const list = (values: string[] | undefined): string[] | undefined => (values?.join() === "none" ? [] : values);
  const said = {
    title,
    versions: version,
    zones: list(zone),
    policyEngine: policyEngine === "none" ? null : policyEngine,
    homeRanges: list(homeRange),
  };
  return Object.fromEntries(Object.entries(said).filter(([, value]) => value !== undefined));
}

const about = (command: Command): Command =>
  command
    .option("--title <text>", "its name for people")
    .option("--zone <zone>", "a zone of it (repeat; none: no zones)", many)
    .option("--policy-engine <name>", "what enforces NetworkPolicies there (none: nothing does)")
    .option("--home-range <range>", "from where home reaches its node ports (repeat; none: not known)", many);

async function tell(format: Parameters<typeof show>[0], host: Named): Promise<void> {
  for (const warning of (host["warnings"] as string[] | undefined) ?? []) note(`Note: ${warning}`);
  // It counts as healthy for minutes more; who asks now wants to know now.
  if (host["healthy"] === true && host["checkedAt"] !== host["healthyAt"]) {
    note(`Note: It did not answer when it was last asked, at ${text(host["checkedAt"])}.`);
  }
  await show(format, host, long);
}

/** Hosts that carry control planes, for the platform's staff. */
export function hostCommands(root: Command): void {
  const host = root.command("host").description("hosts that carry control planes (staff)");
  const path = (id: string, verb = ""): string => `/v1/home/hosts/${encodeURIComponent(id)}${verb}`;
  listCommand(host, "the hosts", "/v1/home/hosts", short);
  const on = (name: string, description: string, method: string, verb = ""): Command =>
    host
      .command(`${name} <name>`)
      .description(description)
      .action(
        signedIn(async ({ client, format }, called: string) => {
          const { id } = await find(client, "host", called);
          await tell(format, (await client.call<Named>(method, path(id, verb))).value);
        }),
      );
  on("get", "one host, by its name or id", "GET");
  on("check", "ask a host whether it can carry control planes", "POST", "/check");
  on("resume", "let new clusters come to it again", "POST", "/resume");
  about(host.command("register").description("register a Kubernetes cluster as a host"))
    .requiredOption("--kubeconfig <file>", "how to reach it: a client certificate or a token (- reads standard input)")
    .requiredOption("--name <name>", "its name")
    .requiredOption("--region <region>", "its region")
    .requiredOption("--address <address>", "the address at which its node ports are reached")
    .requiredOption("--ports <from-to>", "the node ports that clusters may take", range)
    .requiredOption("--version <version>", "an exact version whose images it can pull (repeat)", many)
    .requiredOption("--image-prefix <prefix>", "where its images come from: <prefix>/kube-apiserver:v1.34.4 …")
    .requiredOption("--storage-class <name>", "the storage class of etcd's volumes")
    .requiredOption("--service-cidr <range>", "its own Services' addresses (repeat)", many)
    .requiredOption("--pod-cidr <range>", "its own Pods' addresses (repeat)", many)
    .action(
      signedIn(async ({ client, format }, options: Registered) => {
        const { name, region, address, ports, imagePrefix, storageClass } = options;
        const { serviceCidr: serviceCIDRs, podCidr: podCIDRs } = options;
        const fixed = { name, region, address, ports, imagePrefix, storageClass, serviceCIDRs, podCIDRs };
        const body = { ...fixed, ...told(options), kubeconfig: readConfig(options.kubeconfig) };
        await tell(format, (await client.call<Named>("POST", "/v1/home/hosts", { body })).value);
      }),
    );
  about(host.command("update <name>").description("change what is told of a host; what is left out stays"))
    .option("--version <version>", "an exact version whose images it can pull (repeat; all of them)", many)
    .action(
      signedIn(async ({ client, format }, name: string, options: Told) => {
        const body = told(options);
        if (Object.keys(body).length === 0) throw new Stop("usage", "Say what is to change.");
        const { id } = await find(client, "host", name);
        await tell(format, (await client.call<Named>("PATCH", path(id), { body })).value);
      }),
    );
  host
    .command("credential <name>")
    .description("replace Berth's credential on a host by another on the same cluster")
    .requiredOption("--kubeconfig <file>", "the new one (- reads standard input)")
    .action(
      signedIn(async ({ client, format }, name: string, options: { kubeconfig: string }) => {
        const body = { kubeconfig: readConfig(options.kubeconfig) };
        const { id } = await find(client, "host", name);
        await tell(format, (await client.call<Named>("PUT", path(id, "/credential"), { body })).value);
        note("The old one may still be used for a minute; end it after that.");
      }),
    );
  host
    .command("drain <name>")
    .description("let no new clusters come to it; those there stay")
    .action(
      signedIn(async ({ client, format }, name: string) => {
        const { id } = await find(client, "host", name);
        const { value } = await client.call<{ host: Named; clusters: Named[]; moving: string }>(
          "POST",
          path(id, "/drain"),
        );
        if (format !== "table") return await show(format, value, []);
        await tell(format, value.host);
        for (const { cluster, tenant, port } of value.clusters as unknown as Record<string, string>[]) {
          note(`Still there: ${cluster} of ${tenant} on port ${port}`);
        }
        if (value.clusters.length > 0) note(value.moving);
      }),
    );
  host
    .command("remove <name>")
    .description("forget a host that is drained and carries nothing")
    .option("--yes", "without being asked")
    .action(
      signedIn(async ({ client, format }, called: string, options: { yes?: boolean }) => {
        const { id, name } = await find(client, "host", called);
        await sure(name, `Berth forgets the host ${name} and its credential there`, options);
        await client.call("DELETE", path(id));
        await show(format, { id, name, removed: true }, [
          ["Removed", "name"],
          ["ID", "id"],
        ]);
      }),
    );
}
