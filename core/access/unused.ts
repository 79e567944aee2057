import * as z from "zod";
import * as Audit from "../audit/index.ts";
import { allow } from "../allow.ts";
import type { Context } from "../context.ts";
import * as Grant from "../grant/index.ts";
import type { ID } from "../id.ts";
import { collect, type Page, type PageInput } from "../page.ts";
import { accessKind } from "./schema.ts";
import { pageOf } from "./rights.ts";

/** What a member does in a cluster, as the trail tells it: a credential was issued, or the proxy was used. */
const uses = ["cluster:access", "cluster:proxy"];

/** A grant that nobody has used for long. */
export const Unused = Grant.View.extend({
  subjectName: z.string().optional().describe("What the member or team is called; left out when it is gone."),
  groupName: z.string(),
  lastUsedAt: z.iso.datetime().nullable().describe("The last use that the trail knows of."),
});
export type Unused = z.output<typeof Unused>;

export interface UnusedPage extends Page<Unused> {
  /** From when on the audit trail was looked at, ISO 8601 UTC: of what was before, nothing is known. */
  since: string | null;
}

/**
 * Active grants by which nobody came into any of the clusters that they reach for so many days, in the order of ids.
 * Whoever holds two grants there uses both with one call: the trail knows who came in, not by which right.
 * A grant that was made in these days is not told: nobody has had the time to leave it unused.
 * @throws Fault `forbidden` to all but owners.
 */
export async function unused(ctx: Context, { days, ...page }: PageInput & { days: number }): Promise<UnusedPage> {
  allow(ctx, "audit:read");
  const [rows, clusters, last] = await Promise.all([
    Grant.read(ctx),
    collect((one) => ctx.table.list(accessKind, one)),
    Audit.lastDone(ctx, uses),
  ]);
  const before = new Date(Date.parse(ctx.now()) - days * 86_400_000).toISOString();
  const all = clusters.map(({ cluster }) => cluster);
  const idle = rows.grants
    .filter(({ state, expiresAt }) => state === "active" && (expiresAt === undefined || expiresAt > ctx.now()))
    .filter(({ createdAt }) => createdAt <= before)
    .map((grant) => ({ grant, lastUsedAt: lastUse(grant, rows, all, last) }))
    .filter(({ lastUsedAt }) => lastUsedAt === null || lastUsedAt < before)
    .sort((a, b) => (a.grant.id < b.grant.id ? -1 : 1));
  const view = ({ grant, lastUsedAt }: (typeof idle)[number]): Unused => ({
    ...Grant.View.parse(grant),
    ...nameOf(grant, rows),
    groupName: rows.groups.find(({ id }) => id === grant.group)?.name ?? grant.group,
    lastUsedAt,
  });
  return { ...pageOf(idle, ({ grant }) => grant.id, page, view), since: last.since ?? null };
}

function lastUse(
  { subject, scope }: Grant.Grant,
  { teams, projects }: Grant.Rows,
  all: readonly ID<"cluster">[],
  last: Audit.LastDone,
): string | null {
  const members = teams.find(({ id }) => id === subject)?.members ?? [subject];
  const placed = projects.find(({ id }) => id === scope)?.places.map(({ cluster }) => cluster) ?? [];
  const reached = scope === "tenant" ? all : placed.length > 0 ? placed : [scope];
  const found = members.flatMap((member) => reached.map((cluster) => last.at(member, cluster) ?? ""));
  return found.sort().at(-1) || null;
}

function nameOf({ subject }: Grant.Grant, { members, teams }: Grant.Rows): { subjectName?: string } {
  const name = [...members, ...teams].find(({ id }) => id === subject)?.name;
  return name === undefined ? {} : { subjectName: name };
}
