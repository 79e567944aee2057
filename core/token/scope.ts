// Whose tokens a caller may make, see and end, and how far what it makes may go.
import { grants, type Permission } from "../allow.ts";
import type { Role } from "../role.ts";
import type { Context } from "../context.ts";
import { Fault, missing } from "../error.ts";
import type { ID } from "../id.ts";
import * as Member from "../member/index.ts";
import { boundKinds, type Token } from "./schema.ts";
import type { Kept } from "./store.ts";

/**
 * The caller's own, and for who leads anyone's; others' are not there, nor for a bound token what reaches further than
 * itself. @throws Fault `missing`.
 */
export function mine(ctx: Context, kept: Kept | undefined): Kept {
  const sees = kept?.token.member === ctx.actor.member || Member.leads(ctx.actor.role);
  if (kept === undefined || !sees || !inside(ctx, kept.token)) throw missing("token");
  return kept;
}

/**
 * Whether a token reaches no further than the one that the caller has. It must be bound by the very same kinds: who is
 * bound to a cluster alone may nothing to a project as such, nor the other way round.
 */
export function inside(
  { actor: { within: own, token } }: Pick<Context, "actor">,
  of: Pick<Token, "clusters" | "projects"> & { id?: ID<"token"> },
): boolean {
  if (own === undefined || (token !== null && of.id === token)) return true;
  const fits = <T>(mine: readonly T[] | undefined, its: readonly T[] | undefined): boolean =>
    mine === undefined ? its === undefined : its !== undefined && its.every((each) => mine.includes(each));
  return fits(own.clusters, of.clusters) && fits(own.projects, of.projects);
}

/**
 * What a new token is bound to: what is asked, and what the caller's own is bound to. All of it must be there.
 * @throws Fault `forbidden` for what the caller's own token does not reach; `missing` for what is not in the tenant.
 */
export async function bounds(
  ctx: Context,
  asked: Pick<Token, "clusters" | "projects">,
): Promise<Pick<Token, "clusters" | "projects">> {
  const own = ctx.actor.within;
  const kinds = ["clusters", "projects"] as const;
  const beyond = kinds.flatMap((kind) => {
    const list: readonly string[] | undefined = own?.[kind];
    const out = (asked[kind] ?? []).map((id, at) => ({ id, at }));
    return (own === undefined ? [] : out.filter(({ id }) => !list?.includes(id))).map(({ at }) => ({
      field: `${kind}.${at}`,
      message: `is not among the ${kind} that your own token is bound to`,
    }));
  });
  if (beyond.length > 0) {
    throw new Fault("forbidden", "You can't give away what you don't have: your own token is bound.", {
      errors: beyond,
    });
  }
  for (const kind of kinds) await there(ctx, kind, asked[kind] ?? []);
  const clusters = asked.clusters ?? own?.clusters;
  const projects = asked.projects ?? own?.projects;
  return {
    ...(clusters && { clusters: [...new Set(clusters)] }),
    ...(projects && { projects: [...new Set(projects)] }),
  };
}

async function there(ctx: Context, kind: keyof typeof boundKinds, ids: readonly string[]): Promise<void> {
  const rows = await ctx.table.getAll(ids.map((id) => [boundKinds[kind], id] as const));
  const gone = rows.flatMap((row, at) => (row === undefined ? [at] : []));
  if (gone.length === 0) return;
  const noun = kind.slice(0, -1);
  throw new Fault("missing", `There is no such ${noun}.`, {
    errors: gone.map((at) => ({ field: `${kind}.${at}`, message: `is no ${noun} of this tenant` })),
  });
}

/** Ending a member's tokens is changing the member: none above the caller's own role. @throws Fault `forbidden`. */
export async function endable(ctx: Context, member: ID<"member">): Promise<void> {
  if (member === ctx.actor.member) return;
  const holder = await ctx.table.get(Member.memberKind, member);
  if (holder === undefined || Member.reaches(ctx.actor.role, holder.role)) return;
  throw new Fault("forbidden", "The member's role is above your own.");
}

/**
 * Who gets a token: the caller, or a robot that it leads. Never another person: its secret would be in two hands.
 * @throws Fault `missing`; `forbidden`; `conflict` for a robot that is suspended.
 */
export async function receiver(
  ctx: Context,
  asked: ID<"member"> | undefined,
): Promise<{ id: ID<"member">; role: Role }> {
  const { member: self, role } = ctx.actor;
  if (self === "system") throw new Error("the system has no tokens");
  const refuse = (message: string): Fault =>
    new Fault("forbidden", message, { errors: [{ field: "member", message: "is not yours to make a token for" }] });
  if (asked === undefined || asked === self) return { id: self, role };
  if (!Member.leads(role)) throw refuse("Only an owner makes tokens for others.");
  const member = await ctx.table.get(Member.memberKind, asked);
  if (member === undefined) throw missing("member");
  if (member.kind !== "robot") throw refuse("Tokens are made for oneself and for robots, never for another person.");
  if (!Member.reaches(role, member.role)) throw refuse("The robot's role is above your own.");
  if (member.state !== "active") throw new Fault("conflict", "The robot is suspended.");
  return member;
}

/**
 * The scopes of a token for who has `role`: nothing beyond that role, the caller's, or the token it calls with.
 * @param asked left out, as much as the caller's own token.
 * @throws Fault `forbidden`, with every one that is beyond.
 */
export function bounded(ctx: Context, role: Role, asked: Permission[] | undefined): string[] | null {
  const own = ctx.actor.scopes;
  if (asked === undefined) return own && [...own];
  const may = (each: Permission): boolean =>
    [role, ctx.actor.role].every((one) => grants(one).has(each)) && (own === null || own.includes(each));
  const beyond = asked.filter((each) => !may(each));
  if (beyond.length === 0) return [...new Set(asked)];
  throw new Fault("forbidden", `You can't give away what you don't have: ${beyond.join(", ")}.`, {
    errors: beyond.map((each) => ({ field: "scopes", message: `${each} is beyond your own` })),
  });
}

/**
 * The scopes and bounds of a token that is made anew: the same, unless the one it is asked with may do less. Of bounds
 * that was seen to when it was found (`mine`).
 * @throws Fault `forbidden`.
 */
export function carried(ctx: Context, token: Token): Pick<Token, "scopes" | "clusters" | "projects"> {
  const own = ctx.actor.scopes;
  const { scopes } = token;
  const within = own === null || scopes?.every((each) => own.includes(each)) === true;
  if (!within) throw new Fault("forbidden", "You can't give away what you don't have: it may do more than your token.");
  const { clusters, projects } = token;
  return { scopes, ...(clusters && { clusters }), ...(projects && { projects }) };
}
