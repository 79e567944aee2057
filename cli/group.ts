import { readFile } from "node:fs/promises";
import type { Command } from "commander";
import { sure } from "./ask.ts";
import { confirmed } from "./confirmation.ts";
import { Stop } from "./fault.ts";
import { listCommand } from "./list.ts";
import { note, show, type Column } from "./output.ts";
import { find, signedIn } from "./run.ts";
import type { Named } from "./shape.ts";

interface Rule {
  apiGroups: string[];
  resources: string[];
  verbs: string[];
  resourceNames?: string[];
}

/** `get,list on pods.apps`, as kubectl writes a resource. */
const said = ({ apiGroups, resources, verbs, resourceNames = [] }: Rule): string => {
  const of = apiGroups.map((group) => (group === "" ? "" : `.${group}`));
  const full = resources.flatMap((resource) => of.map((group) => `${resource}${group}`));
  const named = resourceNames.length === 0 ? "" : ` named ${resourceNames.join(",")}`;
  return `${verbs.join(",")} on ${full.join(",")}${named}`;
};
const lines = (field: string) => (row: Named) => ((row[field] ?? []) as Rule[]).map(said).join("; ");

const groups: Column<Named>[] = [
  ["Name", "name"],
  ["ID", "id"],
  ["Title", "title"],
  ["Built in", (row) => (row["builtin"] === true ? "yes" : "")],
];
const details: Column<Named>[] = [
  ...groups,
  ["Rules", lines("rules")],
  ["Cluster rules", lines("clusterRules")],
  ["Warnings", (row) => ((row["warnings"] ?? []) as string[]).join(" ")],
];

interface Wanted {
  file?: string;
  title?: string;
}

/**
 * What a file says of a group: rules alone, or `rules` and `clusterRules`; a Role or ClusterRole will do.
 * @throws Stop `usage` when it says neither.
 */
async function read(file: string): Promise<Record<string, unknown>> {
  let parsed: unknown;
  try {
    parsed = (await import("yaml")).parse(await readFile(file, "utf8"));
  } catch (cause) {
    throw new Stop("usage", `${file} can't be read: ${cause instanceof Error ? cause.message : String(cause)}`, {
      cause,
    });
  }
  if (Array.isArray(parsed)) return { rules: parsed };
  const { rules, clusterRules } = (parsed ?? {}) as Record<string, unknown>;
  if (rules === undefined && clusterRules === undefined) {
    throw new Stop("usage", `${file} has neither rules nor clusterRules.`);
  }
  return { ...(rules !== undefined && { rules }), ...(clusterRules !== undefined && { clusterRules }) };
}

const bodyOf = async ({ file, title }: Wanted): Promise<Record<string, unknown>> => ({
  ...(file !== undefined && (await read(file))),
  ...(title !== undefined && { title }),
});

const at = (id: string): string => `/v1/groups/${encodeURIComponent(id)}`;
const warned = (group: Named): void => {
  for (const warning of (group["warnings"] ?? []) as string[]) note(`Beware: ${warning}`);
};

/** Permission groups: the built-in ones, and the tenant's own. */
export function groupCommands(root: Command): void {
  const group = root.command("group").description("permission groups: Kubernetes rules under a name, to be granted");
  listCommand(group, "the built-in groups and your own", "/v1/groups", groups);
  group
    .command("show <name>")
    .alias("get")
    .description("one group with its rules, by its name or id")
    .action(
      signedIn(async ({ client, format }, name: string) => {
        const { id } = await find(client, "group", name);
        await show(format, await client.get<Named>(at(id)), details);
      }),
    );
  group
    .command("create <name>")
    .description("make a group")
    .requiredOption("--file <file>", "its rules, as YAML or JSON: rules, clusterRules, or a ClusterRole")
    .option("--title <title>", "what people call it")
    .action(
      signedIn(async ({ client, format }, name: string, options: Wanted) => {
        const body = { name, ...(await bodyOf(options)) };
        const { value } = await client.call<Named>("POST", "/v1/groups", { body });
        warned(value);
        await show(format, value, details);
      }),
    );
  group
    .command("update <name>")
    .description("change a group, by its name or id; what is left out stays")
    .option("--file <file>", "its new rules")
    .option("--title <title>", "what people call it")
    .action(
      signedIn(async ({ client, format }, name: string, options: Wanted) => {
        const { id, generation } = await find(client, "group", name);
        const asked = { body: await bodyOf(options), headers: { "if-match": `"${String(generation)}"` } };
        const { value } = await client.call<Named>("PATCH", at(id), asked);
        warned(value);
        confirmed(value);
        await show(format, value, details);
      }),
    );
  group
    .command("delete <name>")
    .alias("remove")
    .description("remove a group that nobody is given, by its name or id")
    .option("--yes", "do not ask")
    .action(
      signedIn(async ({ client, format }, name: string, options: { yes?: boolean }) => {
        const found = await find(client, "group", name);
        await sure(found.name, `Removing the group ${found.name}`, options);
        const { value } = await client.call<Named>("DELETE", at(found.id));
        confirmed(value);
        await show(format, { id: found.id, name: found.name, removed: true }, [
          ["Removed", "name"],
          ["ID", "id"],
        ]);
      }),
    );
}
