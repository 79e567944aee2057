import type { Command } from "commander";
import type { Client } from "./client.ts";
import { exits, Stop } from "./fault.ts";
import { called, namesOf } from "./given.ts";
import { clean, note, show, showPage, type Column } from "./output.ts";
import { find, idOfCluster, signedIn, whole } from "./run.ts";
import type { Page } from "./shape.ts";

interface Rule {
  apiGroups: string[];
  resources: string[];
  verbs: string[];
  resourceNames?: string[];
}

interface Because {
  grant: string;
  groupName: string;
  scope: string;
  team?: string;
  rule: Rule;
  clusters: string[];
}

interface Explained {
  member: { id: string; name: string };
  account: string;
  asked?: { verb: string; group: string; resource: string };
  allowed?: boolean;
  clusters: { id: string; allowed?: boolean }[];
  because: Because[];
  token?: { enters: boolean; credential: boolean };
}

interface Able {
  member: { id: string; name: string };
  everywhere: boolean;
  because: Because[];
}

interface Comparison {
  namespace: string;
  same: boolean;
  missing: Rule[];
  extra: Rule[];
  complete: boolean;
}

interface Unused {
  id: string;
  subject: string;
  subjectName?: string;
  groupName: string;
  scope: string;
  lastUsedAt: string | null;
}

interface There {
  cluster?: string;
  project?: string;
  member?: string;
  name?: string;
  list?: boolean;
  compare?: boolean;
}

const ruleText = ({ verbs, resources, apiGroups, resourceNames = [] }: Rule): string => {
  const groups = apiGroups.filter((group) => group !== "").map((group) => `.${group}`);
  const named = resourceNames.length > 0 ? ` named ${resourceNames.join(", ")}` : "";
  return `${verbs.join(",")} on ${resources.join(",")}${groups.join(",")}${named}`;
};
const by = ({ grant, team }: Because): string =>
  grant === "owner" ? "role owner" : team === undefined ? grant : `${grant} by ${team}`;

const able: Column<Able>[] = [
  ["Member", "member.name"],
  ["ID", "member.id"],
  ["Everywhere", ({ everywhere }) => (everywhere ? "yes" : "no")],
  ["By", ({ because }) => [...new Set(because.map((each) => `${by(each)} (${each.groupName})`))]],
];
const unused = (name: (id: string) => string): Column<Unused>[] => [
  ["Grant", "id"],
  ["Subject", ({ subject, subjectName }) => subjectName ?? subject],
  ["Group", "groupName"],
  ["On", ({ scope }) => called(name, scope)],
  ["Last used", ({ lastUsedAt }) => lastUsedAt ?? "never"],
];

/** `deployments.apps/scale`, as kubectl writes it, in the API's terms; without a group the server knows it. */
export function resourceOf(text: string): { resource: string; group?: string } {
  const [whole_ = "", sub] = text.split("/");
  const at = whole_.indexOf(".");
  const name = at < 0 ? whole_ : whole_.slice(0, at);
  const resource = sub === undefined ? name : `${name}/${sub}`;
  return at < 0 ? { resource } : { resource, group: whole_.slice(at + 1) };
}

async function idOfProject(client: Client, name: string): Promise<string> {
  if (name.startsWith("prj_")) return name;
  const { items } = await client.list<{ id: string; name: string }>("/v1/projects", { limit: 100 }, true);
  const found = items.find((each) => each.name === name);
  if (found === undefined) throw new Stop("missing", `There is no project ${name}.`);
  return found.id;
}

async function placeOf(client: Client, { cluster, project, member }: There): Promise<Record<string, string>> {
  if (cluster === undefined && project === undefined) throw new Stop("usage", "Say --project, --cluster or both.");
  return {
    ...(cluster !== undefined && { cluster: await idOfCluster(client, cluster) }),
    ...(project !== undefined && { project: await idOfProject(client, project) }),
    ...(member !== undefined && { member: (await find(client, "member", member)).id }),
  };
}

const there = (command: Command): Command =>
  command
    .option("--cluster <cluster>", "on this cluster; without --project, at the cluster's own scope")
    .option("--project <project>", "in this project; without --cluster, on each of its clusters");

/** Rights, explained. */
export function rightsCommands(root: Command): void {
  there(root.command("can-i [verb] [resource]"))
    .description("what a member may do inside of clusters, and why; exits with 0 for yes and 1 for no")
    .option("--member <member>", "of somebody else, by name or id")
    .option("--name <name>", "of one object")
    .option("--list", "every rule of every grant that holds there")
    .option("--compare", "ask each cluster too, and show where it differs from what was granted")
    .action(
      signedIn(async ({ client, format }, verb: string | undefined, resource: string | undefined, options: There) => {
        const place = await placeOf(client, options);
        if (options.compare) return compared(client, place, format);
        if (!options.list && (verb === undefined || resource === undefined))
          throw new Stop("usage", "Say a verb and a resource, such as get pods, or --list.");
        const what =
          options.list || resource === undefined ? {} : { verb, ...resourceOf(resource), name: options.name };
        const answer = await client.get<Explained>("/v1/can-i", { ...place, ...what });
        if (format !== "table") await show(format, answer, []);
        else explain(answer, await namesOf(client));
        if (!options.list && (answer.allowed !== true || answer.token?.enters === false))
          process.exitCode = exits.fault;
      }),
    );
  there(root.command("who-can <verb> <resource>"))
    .description("who may do this inside of clusters, and by which grants")
    .option("--name <name>", "of one object")
    .action(
      signedIn(async ({ client, format }, verb: string, resource: string, options: There) => {
        const query = { ...(await placeOf(client, options)), verb, ...resourceOf(resource), name: options.name };
        await showPage(format, await client.list<Able>("/v1/who-can", { ...query, limit: 100 }, true), able);
      }),
    );
  const grant = root.commands.find((each) => each.name() === "grant") ?? root.command("grant");
  grant
    .command("unused")
    .description("grants by which nobody came into a cluster for long, as the audit tells (owners)")
    .option("--days <n>", "for how long (30)", whole)
    .action(
      signedIn(async ({ client, format }, { days }: { days?: number }) => {
        const path = "/v1/grants/unused";
        const first = await client.get<Page<Unused> & { since: string | null }>(path, { days, limit: 100 });
        const items = [...first.items];
        if (first.next !== null)
          items.push(...(await client.list<Unused>(path, { days, limit: 100, after: first.next }, true)).items);
        await showPage(
          format,
          { ...first, items, next: null },
          format === "table" ? unused(await namesOf(client)) : [],
        );
        note(first.since === null ? "The audit is empty." : `The audit was looked at from ${first.since} on.`);
      }),
    );
}

/** Grant by grant, each with its rules below it. */
function explain({ allowed, because, clusters, token, member }: Explained, name: (id: string) => string): void {
  if (allowed !== undefined) process.stdout.write(allowed ? "yes\n" : "no\n");
  const whole = clusters.length;
  for (const rules of Map.groupBy(because, (each) => `${by(each)} ${each.groupName} ${each.scope}`).values()) {
    const [first] = rules;
    if (first === undefined) continue;
    const { groupName, scope } = first;
    process.stdout.write(clean(`${groupName} on ${called(name, scope)}, by ${by(first)}`) + "\n");
    for (const { rule, clusters: some } of rules) {
      const where = some.length < whole ? ` (on ${some.map(name).join(", ")})` : "";
      process.stdout.write(clean(`  ${ruleText(rule)}${where}`) + "\n");
    }
  }
  if (because.length === 0) note(`${clean(member.name)} holds nothing that gives it.`);
  if (clusters.length === 0) note("The project is on no cluster.");
  for (const { id } of clusters.filter((each) => each.allowed === false)) note(`Not on ${clean(name(id))}.`);
  if (token?.enters === false) note("Your token is not scoped for clusters (cluster:access).");
  else if (token?.credential === false)
    note("Your token is bound to projects: it comes in through Berth's proxy alone.");
}

/** @throws Stop `fault` when a cluster does not hold what was granted. */
async function compared(
  client: Client,
  { cluster, ...rest }: Record<string, string>,
  format: "json" | "yaml" | "table",
): Promise<void> {
  const asked =
    cluster === undefined ? (await client.get<Explained>("/v1/can-i", rest)).clusters.map(({ id }) => id) : [cluster];
  const items = [];
  for (const id of asked)
    items.push({ cluster: id, ...(await client.get<Comparison>(`/v1/kube/clusters/${id}/rights`, rest)) });
  const name = format === "table" ? await namesOf(client) : String;
  if (format !== "table") await show(format, { items, next: null }, []);
  else
    for (const { cluster: id, same, missing, extra, complete } of items) {
      process.stdout.write(clean(`${name(id)}: ${same ? "as granted" : "not as granted"}`) + "\n");
      for (const rule of missing) process.stdout.write(clean(`  missing: ${ruleText(rule)}`) + "\n");
      for (const rule of extra) process.stdout.write(clean(`  extra: ${ruleText(rule)}`) + "\n");
      if (!complete) note(`${clean(name(id))} could not name all that the account holds.`);
    }
  if (items.some(({ same }) => !same)) throw new Stop("fault", "What a cluster says is not what was granted.");
}
