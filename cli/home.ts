import { readFileSync } from "node:fs";
import { InvalidArgumentError, type Command } from "commander";
import { Stop } from "./fault.ts";
import { age, show, type Column } from "./output.ts";
import { find, many, signedIn } from "./run.ts";
import type { Named } from "./shape.ts";
import { listCommand } from "./tenant.ts";

const hosts: Column<Named>[] = [
  ["Name", "name"],
  ["ID", "id"],
  ["Region", "region"],
  ["Address", "address"],
  ["Ports", (row) => span(row["ports"])],
  ["Versions", "versions"],
  ["State", "state"],
  ["Healthy", "healthy"],
  ["Age", (row) => age(row["createdAt"] as string | undefined)],
];

const tenants: Column<Named>[] = [
  ["Name", "name"],
  ["ID", "id"],
  ["State", "state"],
  ["Age", (row) => age(row["createdAt"] as string | undefined)],
];

const span = (ports: unknown): unknown => {
  const { from, to } = (ports ?? {}) as { from?: number; to?: number };
  return from === undefined ? ports : `${from}-${to}`;
};

function range(text: string): { from: number; to: number } {
  const [, from, to] = /^(\d+)-(\d+)$/.exec(text) ?? [];
  if (from === undefined || to === undefined || Number(from) > Number(to)) {
    throw new InvalidArgumentError("Write it like 30000-30199.");
  }
  return { from: Number(from), to: Number(to) };
}

interface Registered {
  kubeconfig: string;
  name: string;
  region: string;
  address: string;
  ports: { from: number; to: number };
  version: string[];
  imagePrefix: string;
  storageClass: string;
  serviceCidr: string[];
  podCidr: string[];
  zone?: string[];
  policyEngine?: string;
}

function body(options: Registered): object {
  const { name, region, address, ports, imagePrefix, storageClass, policyEngine } = options;
  const { version: versions, serviceCidr: serviceCIDRs, podCidr: podCIDRs, zone: zones } = options;
  let kubeconfig: string;
  try {
    kubeconfig = readFileSync(options.kubeconfig === "-" ? 0 : options.kubeconfig, "utf8");
  } catch (cause) {
    throw new Stop("usage", `The kubeconfig cannot be read: ${(cause as Error).message}`, { cause });
  }
  const told = {
    name,
    region,
    address,
    ports,
    versions,
    imagePrefix,
    storageClass,
    serviceCIDRs,
    podCIDRs,
    kubeconfig,
  };
  return {
    ...told,
    ...(zones === undefined ? {} : { zones }),
    ...(policyEngine === undefined ? {} : { policyEngine }),
  };
}

/** What only the platform's staff may do; to others these routes are not there. */
export function homeCommands(root: Command): void {
  const host = root.command("host").description("hosts that carry control planes (staff)");
  listCommand(host, "the hosts", "/v1/home/hosts", hosts);
  host
    .command("get <name>")
    .description("one host, by its name or id")
    .action(
      signedIn(async ({ client, format }, name: string) => {
        const { id } = await find(client, "host", name);
        await show(format, await client.get<Named>(`/v1/home/hosts/${encodeURIComponent(id)}`), hosts);
      }),
    );
  host
    .command("register")
    .description("register a Kubernetes cluster as a host")
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
    .option("--zone <zone>", "a zone of it (repeat)", many)
    .option("--policy-engine <name>", "what enforces NetworkPolicies there; left out, nothing does")
    .action(
      signedIn(async ({ client, format }, options: Registered) => {
        const { value } = await client.call<Named>("POST", "/v1/home/hosts", { body: body(options) });
        await show(format, value, hosts);
      }),
    );
  host
    .command("check <name>")
    .description("ask a host whether it can carry control planes")
    .action(
      signedIn(async ({ client, format }, name: string) => {
        const { id } = await find(client, "host", name);
        const { value } = await client.call<Named>("POST", `/v1/home/hosts/${encodeURIComponent(id)}/check`);
        await show(format, value, [...hosts, ["Runs", "runs"], ["Checked", "checkedAt"], ["Last well", "healthyAt"]]);
      }),
    );
  const tenant = root.command("tenant").description("tenants (staff)");
  listCommand(tenant, "the tenants", "/v1/home/tenants", tenants);
  tenant
    .command("create <name>")
    .description("make a tenant with its first owner")
    .option("--title <text>", "its name for people")
    .option("--with-token", "print a token of its first owner, once")
    .action(
      signedIn(
        async ({ client, format }, name: string, { title, withToken }: { title?: string; withToken?: boolean }) => {
          const body = { name, ...(title === undefined ? {} : { title }), ...(withToken ? { withToken } : {}) };
          const { value } = await client.call<Named>("POST", "/v1/home/tenants", { body });
          await show(format, value, [["Token", "token"], ...tenants]);
        },
      ),
    );
}
