import * as z from "zod";
import type { Where } from "../allow.ts";
import type { Change, Context, Kind, Table } from "../context.ts";
import { Fault, type FieldFault } from "../error.ts";
import * as Group from "../group/index.ts";
import type { ID } from "../id.ts";
import * as Member from "../member/index.ts";
import type * as Outbox from "../outbox/index.ts";
import * as Project from "../project/index.ts";
import * as Team from "../team/index.ts";
import type { Grant, Scope } from "./schema.ts";

/** Of a cluster's row no more than whether it stays, so rows of any form will do. */
const clusterKind: Kind<{ name: string; deletedAt?: string | undefined }> = {
  name: "cluster",
  schema: z.object({ name: z.string(), deletedAt: z.string().optional() }),
  form: Number.MAX_SAFE_INTEGER,
};

/** What a request about a scope is about; the tenant as a whole is nothing that a bound token reaches. */
export function whereOf(scope: Scope): Where | undefined {
  if (scope === "tenant") return undefined;
  return isCluster(scope) ? { cluster: scope } : { project: scope };
}

/** Which clusters follow a change of what holds at the scope. */
export async function whomOf({ table }: Pick<Context, "table">, scope: Scope): Promise<Outbox.Whom> {
  if (scope === "tenant") return "all";
  if (isCluster(scope)) return [scope];
  const project = await table.get(Project.projectKind, scope);
  return (project?.places ?? []).map(({ cluster }) => cluster);
}

/**
 * What must hold in the transaction that gives this: its subject may come in, and group and scope are there to stay.
 * @throws Fault `missing` for what is not there, also what is another tenant's; `conflict` for a suspended member and
 * for a cluster or project that is being removed; both name the field.
 */
export async function stays(
  ctx: Pick<Context, "table" | "actor">,
  { subject, ...ground }: Pick<Grant, "subject" | "group" | "scope">,
): Promise<Change[]> {
  return (await Promise.all([subjectStays(ctx, subject), groundStays(ctx, ground)])).flat();
}

/** The same of group and scope alone. */
export async function groundStays(
  { table }: Pick<Context, "table">,
  { group, scope }: Pick<Grant, "group" | "scope">,
): Promise<Change[]> {
  return (await Promise.all([groupStays(table, group), scopeStays(table, scope)])).flat();
}

async function subjectStays(
  { table, actor }: Pick<Context, "table" | "actor">,
  subject: Grant["subject"],
): Promise<Change[]> {
  if (!isMember(subject)) {
    if ((await table.get(Team.teamKind, subject)) === undefined) throw none("subject", "team");
    return [table.check(Team.teamKind, subject, { id: subject })];
  }
  const member = await table.get(Member.memberKind, subject);
  if (member === undefined) throw none("subject", "member");
  if (member.state !== "active") {
    throw ending("subject", `${member.name} is suspended: let it back in first.`, "is suspended");
  }
  // A transaction names a row once, and who calls is checked in it anyway.
  if (subject === actor.member) return [];
  return [table.check(Member.memberKind, subject, { id: subject, state: { not: "suspended" } })];
}

async function groupStays(table: Table, group: Group.Ref): Promise<Change[]> {
  if (Group.isBuiltin(group)) return [];
  if ((await table.get(Group.groupKind, group)) === undefined) throw none("group", "group");
  return [table.check(Group.groupKind, group, { id: group })];
}

async function scopeStays(table: Table, scope: Scope): Promise<Change[]> {
  if (scope === "tenant") return [];
  const [noun, kind] = isCluster(scope)
    ? (["cluster", clusterKind] as const)
    : (["project", Project.projectKind] as const);
  const row = await table.get<{ name: string; deletedAt?: string | undefined }>(kind, scope);
  if (row === undefined) throw none("scope", noun);
  if (row.deletedAt !== undefined)
    throw ending("scope", `The ${noun} ${row.name} is being removed.`, "is being removed");
  return [table.check<unknown>(kind, scope, { id: scope, deletedAt: { absent: true } })];
}

const about = (field: string, message: string): { errors: FieldFault[] } => ({ errors: [{ field, message }] });
const none = (field: string, noun: string): Fault =>
  new Fault("missing", `There is no such ${noun}.`, about(field, `is no ${noun} that is there`));
const ending = (field: string, message: string, said: string): Fault =>
  new Fault("conflict", message, about(field, said));

const isMember = (subject: Grant["subject"]): subject is ID<"member"> => subject.startsWith("mbr_");
const isCluster = (scope: Exclude<Scope, "tenant">): scope is ID<"cluster"> => scope.startsWith("cls_");
