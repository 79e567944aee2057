import type { Client } from "./client.ts";
import { Stop } from "./fault.ts";
import type { Column } from "./output.ts";
import { find, idOfCluster } from "./run.ts";
import type { Named } from "./shape.ts";

/** A grant or a request, as the API answers it. */
export interface Grant {
  id: string;
  subject: string;
  group: string;
  scope: string;
  state: string;
  reason?: string;
  expiresAt?: string;
  [field: string]: unknown;
}

/** The member or team that a name or an id means. @throws Stop `missing`; `usage` when two have that name. */
export async function subjectOf(client: Client, name: string): Promise<string> {
  if (/^(mbr|tem)_/.test(name)) return name;
  const lists = ["/v1/members", "/v1/teams"].map((path) => client.list<Named>(path, { limit: 100 }, true));
  const found = (await Promise.all(lists)).flatMap(({ items }) => items).filter((each) => each.name === name);
  if (found.length > 1) throw new Stop("usage", `${found.length} members and teams are named ${name}: say the id.`);
  if (found[0] === undefined) throw new Stop("missing", `There is no member or team ${name}.`);
  return found[0].id;
}

/** The scope that `tenant`, `cluster <name>`, `project <name>` or an id means. @throws Stop. */
export async function scopeOf(client: Client, words: readonly string[]): Promise<string> {
  const [noun = "", name, ...more] = words;
  if (more.length === 0 && name === undefined && (noun === "tenant" || /^(cls|prj)_/.test(noun))) return noun;
  if (more.length === 0 && name !== undefined && noun === "cluster") return await idOfCluster(client, name);
  if (more.length === 0 && name !== undefined && noun === "project") return (await find(client, "project", name)).id;
  throw new Stop("usage", "Write --on tenant, --on cluster NAME or --on project NAME.");
}

/** What people call everything that grants name; of what may not be listed the id has to do. */
export async function namesOf(client: Client): Promise<(id: string) => string> {
  const all = await Promise.all(
    ["members", "teams", "groups", "clusters", "projects"].map(async (noun) => {
      try {
        return (await client.list<Named>(`/v1/${noun}`, { limit: 100 }, true)).items;
      } catch (error) {
        if (error instanceof Stop) return [];
        throw error;
      }
    }),
  );
  const names = new Map(all.flat().map(({ id, name }) => [id, name]));
  return (id) => names.get(id) ?? id;
}

const kinds: Record<string, string> = { mbr: "", tem: "team ", cls: "cluster ", prj: "project " };

/** A subject or scope in words, such as `project shop`. @param name see `namesOf`. */
export const called = (name: (id: string) => string, id: string): string => `${kinds[id.slice(0, 3)] ?? ""}${name(id)}`;

/** The columns of grants, with names for ids. */
export const grantColumns = (name: (id: string) => string): Column<Grant>[] => {
  return [
    ["ID", "id"],
    ["Subject", (row) => called(name, row.subject)],
    ["Group", (row) => name(row.group)],
    ["On", (row) => called(name, row.scope)],
    ["State", "state"],
    ["Expires", "expiresAt"],
    ["Reason", "reason"],
  ];
};
