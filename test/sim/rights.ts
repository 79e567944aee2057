import type { Found } from "#core/context.ts";
import { kubeName } from "#core/id.ts";
import type { Client } from "./client.ts";
import { one } from "./dice.ts";
import type { Ground } from "./ground.ts";
import type { House, Told } from "./jobs.ts";

/** What changes who may do what inside of clusters, and where projects are. */
export const rightJobs = ["grant", "ungrant", "team", "place", "move place", "unplace"] as const;
export type RightJob = (typeof rightJobs)[number];

/** The work of people who grant and place. */
export function newRightJobs({ ground, client, told }: { ground: Ground; client: Client; told: Told }) {
  const { dice, world } = ground;
  const rowsOf = (house: House, kind: string) =>
    [...world.tables.rows()].flatMap(([key, row]) => (key.startsWith(`${house.tenant}/${kind}/`) ? [row] : []));
  const idsOf = (house: House, kind: string): string[] => rowsOf(house, kind).map(({ id }) => String(id));
  const standing = (house: House): string[] =>
    rowsOf(house, "cluster").flatMap(({ id, deletedAt }) => (deletedAt === undefined ? [String(id)] : []));
  const pick = (key: string, among: string[]): string | undefined =>
    among.length === 0 ? undefined : one(dice("pick", key), among);
  const ask = (house: House, method: string, path: string, body?: unknown) =>
    client.ask(house.owner, { method, path, body, headers: method === "POST" ? {} : { "If-Match": "*" } });

  return async (job: RightJob, house: House, key: string): Promise<void> => {
    const project = pick(`project ${key}`, idsOf(house, "project"));
    const cluster = pick(`cluster ${key}`, standing(house));
    switch (job) {
      case "grant": {
        const subjects = [house.robot, ...idsOf(house, "team"), ...told.members.keys()];
        const scopes = [
          "tenant",
          ...(project === undefined ? [] : [project]),
          ...(cluster === undefined ? [] : [cluster]),
        ];
        const body = {
          subject: pick(`subject ${key}`, subjects),
          group: pick(`group ${key}`, ["view", "edit", "admin"]),
          scope: pick(`scope ${key}`, scopes),
        };
        return void (await ask(house, "POST", "/v1/grants", body));
      }
      case "ungrant": {
        const grant = pick(key, idsOf(house, "grant"));
        return grant === undefined ? undefined : void (await ask(house, "DELETE", `/v1/grants/${grant}`));
      }
      case "team": {
        const team = pick(key, idsOf(house, "team"));
        const members = dice("in", key) < 0.6 ? [house.robot] : [];
        if (team === undefined) return void (await ask(house, "POST", "/v1/teams", { name: key, members }));
        return void (await ask(house, "PATCH", `/v1/teams/${team}`, { members }));
      }
      case "place": {
        const places = standing(house).map((id) => ({ cluster: id }));
        return void (await ask(house, "POST", "/v1/projects", { name: key, places, limits: { pods: 10 } }));
      }
      case "move place": {
        const row = rowsOf(house, "project").find(({ id }) => id === project);
        if (row === undefined) return;
        const places = standing(house)
          .filter((_, at) => dice("stays", key, at) < 0.5)
          .map((id) => ({ cluster: id }));
        return void (await ask(house, "PATCH", `/v1/projects/${project}`, { places, confirm: String(row["name"]) }));
      }
      case "unplace": {
        const row = rowsOf(house, "project").find(({ id }) => id === project);
        if (row === undefined) return;
        return void (await ask(house, "DELETE", `/v1/projects/${project}?confirm=${String(row["name"])}`));
      }
      default:
        return job satisfies never;
    }
  };
}

interface Project {
  id: string;
  name: string;
  deletedAt?: string;
  places: { cluster: string; leavingAt?: string }[];
}
interface Member {
  id: string;
  role: string;
  state: string;
}

/** What a cluster ought to hold, from the rows alone, in words of this file's own. */
function owed({ world }: Ground, tenant: string, cluster: string): Set<string> {
  const rows = <T>(kind: string): T[] =>
    [...world.tables.rows()].flatMap(([key, row]) =>
      key.startsWith(`${tenant}/${kind}/`) ? [row as unknown as T] : [],
    );
  const wanted = new Set<string>();
  const active = rows<Member>("member").filter(({ state }) => state === "active");
  const here = rows<Project>("project").filter(({ places }) =>
    places.some((place) => place.cluster === cluster && place.leavingAt === undefined),
  );
  for (const { name } of here) wanted.add(`Namespace ${name}`);
  const teams = new Map(rows<{ id: string; members: string[] }>("team").map(({ id, members }) => [id, members]));
  const holds = (member: string, group: string, spaces: string[], wide: string | undefined): void => {
    const name = `berth:${kubeName(member)}:${group}`;
    wanted.add(`ServiceAccount ${kubeName(member)}`);
    for (const space of spaces) wanted.add(`RoleBinding ${space}/${name} berth:${group} ${kubeName(member)}`);
    if (wide !== undefined) wanted.add(`ClusterRoleBinding ${name} ${wide} ${kubeName(member)}`);
  };
  for (const { id, role } of active) if (role === "owner") holds(id, "owner", [], "berth:owner");
  for (const { subject, group, scope } of rows<Record<string, string>>("grant")) {
    const members = subject?.startsWith("tem_") === true ? (teams.get(subject) ?? []) : [subject ?? ""];
    for (const { id } of active.filter((member) => members.includes(member.id))) {
      const open = here.filter(({ deletedAt }) => deletedAt === undefined);
      if (scope === "tenant" || scope === cluster) {
        const spaces = open.map(({ name }) => name);
        holds(id, group ?? "", spaces, `berth:${group}-cluster`);
      } else if (open.some((project) => project.id === scope)) {
        holds(
          id,
          group ?? "",
          open.filter((project) => project.id === scope).map(({ name }) => name),
          undefined,
        );
      }
    }
  }
  return wanted;
}

/** What it holds: with our label, of the kinds that give rights or are a project's place. */
function held(objects: Found[], access: string): Set<string> {
  const kinds = ["Namespace", "ServiceAccount", "RoleBinding", "ClusterRoleBinding"];
  const ours = objects.filter(
    ({ kind, metadata }) => kinds.includes(kind) && metadata.labels?.["berth.dev/access"] === access,
  );
  return new Set(
    ours
      .filter(({ kind, metadata }) => kind !== "ServiceAccount" || metadata.namespace === "berth-members")
      .map(({ kind, metadata: { name, namespace }, roleRef, subjects }) => {
        const to = (roleRef as { name: string } | undefined)?.name;
        const whom = ((subjects ?? []) as { name: string }[]).map((subject) => subject.name).join();
        const place = kind === "RoleBinding" ? `${namespace}/${name}` : name;
        return to === undefined ? `${kind} ${place}` : `${kind} ${place} ${to} ${whom}`;
      }),
  );
}

/** Why the inside of a cluster is not as it is granted and placed; nothing when it is. */
export function unowed(ground: Ground, tenant: string, cluster: string, address: string): string | undefined {
  const { world } = ground;
  const id = cluster.replace("cls", "acc");
  const row = world.tables.peek(tenant, "access", id);
  if (row === undefined) return `${cluster} has no access row`;
  const { generation, observedGeneration, holder, failures } = row as Record<string, unknown>;
  if (observedGeneration !== generation || holder !== undefined || failures !== 0)
    return `${id} is not settled: ${JSON.stringify({ generation, observedGeneration, holder, failures })}`;
  const objects = world.inside({ address }, cluster).objects.all();
  const [wanted, found] = [owed(ground, tenant, cluster), held(objects, kubeName(id))];
  const lacks = [...wanted].find((each) => !found.has(each));
  if (lacks !== undefined) return `${cluster} lacks ${lacks}`;
  const extra = [...found].find((each) => !wanted.has(each));
  if (extra !== undefined) return `${cluster} has ${extra}, which nobody is owed`;
  const session = objects.find(({ kind, metadata }) => kind === "Secret" && isOver(ground, tenant, metadata.labels));
  return session && `${cluster} has the session ${session.metadata.name} of a token that has ended`;
}

function isOver({ world }: Ground, tenant: string, labels: Record<string, string> = {}): boolean {
  const [member, token] = [labels["berth.dev/member"], labels["berth.dev/token"]];
  if (member === undefined || token === undefined) return false;
  const row = world.tables.peek(tenant, "token", `${member.replace("-", "_")}/${token.replace("-", "_")}`);
  return row === undefined || row["ttl"] !== undefined;
}
