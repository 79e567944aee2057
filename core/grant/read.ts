import type { Context } from "../context.ts";
import * as Group from "../group/index.ts";
import * as Member from "../member/index.ts";
import { collect } from "../page.ts";
import * as Project from "../project/index.ts";
import * as Team from "../team/index.ts";
import type { Rows } from "./rights.ts";
import { grantKind } from "./schema.ts";

/** The tenant's members, teams, groups, grants and projects: whole tables, each as it stands while it is read. */
export async function read({ table }: Pick<Context, "table">): Promise<Rows> {
  const [members, teams, groups, grants, projects] = await Promise.all([
    collect((page) => table.list(Member.memberKind, page)),
    collect((page) => table.list(Team.teamKind, page)),
    collect((page) => table.list(Group.groupKind, page)),
    collect((page) => table.list(grantKind, page)),
    collect((page) => table.list(Project.projectKind, page)),
  ]);
  return { members, teams, groups, grants, projects };
}
