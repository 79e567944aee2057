import type { ID } from "../id.ts";
import * as Group from "../group/index.ts";
import type { Member } from "../member/index.ts";
import type { Project } from "../project/index.ts";
import type { Team } from "../team/index.ts";
import type { Grant, Scope } from "./schema.ts";

/** All of a tenant that decides who may do what inside of its clusters. */
export interface Rows {
  members: Member[];
  teams: Team[];
  groups: Group.Group[];
  grants: Grant[];
  projects: Project[];
}

/** A group that a member holds somewhere, and by what. */
export interface Right {
  member: ID<"member">;
  group: Group.Ref;
  scope: Scope;
  /** `owner`: by the member's role, without a grant. */
  grant: ID<"grant"> | "owner";
  /** The team through which the member has it. */
  team?: ID<"team">;
}

/** A right as it holds in one cluster: in the namespace of a project, or, without one, at cluster scope. */
export interface Reach {
  member: ID<"member">;
  group: Group.Ref;
  project?: ID<"project">;
  right: Right;
}

/**
 * Who holds what where, ordered by grant: active members only, by grants that are active and not over, of groups that
 * are there, in projects that have neither ended nor expired. An owner holds `owner` in the tenant by its role.
 * @param now ISO 8601.
 */
export function rights({ members, teams, groups, grants, projects }: Rows, now: string): Right[] {
  const active = new Set(members.filter(({ state }) => state === "active").map(({ id }) => id));
  const inTeam = new Map(teams.map((team) => [team.id as string, team.members]));
  const open = new Set(projects.filter((project) => isOpen(project, now)).map(({ id }) => id as string));
  const known = new Set<string>(groups.map(({ id }) => id));
  const owners = members
    .filter(({ id, role }) => role === "owner" && active.has(id))
    .map(({ id }): Right => ({ member: id, group: "owner", scope: "tenant", grant: "owner" }));
  const granted = grants.flatMap(({ id, subject, group, scope, state, expiresAt }): Right[] => {
    if (state !== "active" || (expiresAt !== undefined && expiresAt <= now)) return [];
    if (!Group.isBuiltin(group) && !known.has(group)) return [];
    if (scope.startsWith("prj_") && !open.has(scope)) return [];
    const right = { group, scope, grant: id };
    if (isMember(subject)) return active.has(subject) ? [{ member: subject, ...right }] : [];
    const held = (inTeam.get(subject) ?? []).filter((member) => active.has(member));
    return held.map((member) => ({ member, ...right, team: subject }));
  });
  return [...owners, ...granted];
}

/**
 * What of the rights holds in a cluster: one entry for each of the projects with a namespace there that is not leaving,
 * and for a right on the cluster or the tenant one more without `project`. `owner` held so wide has that one alone: it
 * is everything, in every namespace, projects' or not.
 * @param projects all of the tenant's; those that have ended or expired let nobody but owners in.
 * @param now ISO 8601, as the rights were worked out for.
 */
export function reaching(
  all: readonly Right[],
  cluster: ID<"cluster">,
  projects: readonly Project[],
  now: string,
): Reach[] {
  const here = projects
    .filter((project) => isOpen(project, now) && project.places.some((place) => isIn(place, cluster)))
    .map(({ id }) => id);
  return all.flatMap((right): Reach[] => {
    const { member, group, scope } = right;
    const at = (project: ID<"project">): Reach => ({ member, group, project, right });
    if (scope !== "tenant" && scope !== cluster) return here.filter((project) => project === scope).map(at);
    const wide: Reach = { member, group, right };
    return group === "owner" ? [wide] : [...here.map(at), wide];
  });
}

const isOpen = ({ deletedAt, spec: { expiresAt } }: Project, now: string): boolean =>
  deletedAt === undefined && (expiresAt === undefined || expiresAt > now);

const isIn = ({ cluster, leavingAt }: Project["places"][number], here: ID<"cluster">): boolean =>
  cluster === here && leavingAt === undefined;

const isMember = (subject: string): subject is ID<"member"> => subject.startsWith("mbr_");
