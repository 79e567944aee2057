import { timingSafeEqual } from "node:crypto";
import * as Audit from "../audit/index.ts";
import { type Change, type Context, Refused, type Table } from "../context.ts";
import { Fault } from "../error.ts";
import type { ID } from "../id.ts";
import * as Member from "../member/index.ts";
import * as Outbox from "../outbox/index.ts";
import * as Quota from "../quota/index.ts";
import { hash } from "../secret.ts";
import * as Team from "../team/index.ts";
import * as Token from "../token/index.ts";
import { type Accepted, type AcceptInput, type Gift, type Invite, inviteKind, over, standingKind } from "./schema.ts";
import { ending } from "./store.ts";
import { parse, type Place } from "./text.ts";

const dayMs = 86_400_000;
const tries = 20;

/** The one answer to every invite that does not work: which of the reasons it was is nobody's business. */
const refused = (cause?: unknown): Fault => new Fault("unauthenticated", "A valid invite is needed.", { cause });

/** Where an invite is accepted: behind the `#`, which no browser sends to a server, and so no log can hold. */
export const linkOf = ({ home }: Pick<Context, "home">, text: string): string =>
  `${home.site ?? home.url}/#/invite/${text}`;

/** Who comes in by an invite has no context yet. */
export type Knocking = Pick<Context, "home" | "now" | "random" | "requestID">;

/**
 * The changes that give a right to a member who is being made; none where what is given is there no more. Of a grant
 * there is one row, and it is counted.
 */
export type Give = (
  ctx: Audit.Acting,
  gift: Gift & { subject: ID<"member">; createdBy: ID<"member"> },
) => Promise<Change[]> | Change[];

/**
 * Makes the member that an invite is for, with all it was promised and a session, in one transaction: of two who accept
 * at once one comes in. Its inviter must still lead the tenant.
 * @throws Fault `unauthenticated`, with one sentence for every reason; `invalid` when neither the invite nor who
 * accepts says a name; `limit` when the tenant may have no more members or grants, or a team is full.
 */
export async function accept(ctx: Knocking, input: AcceptInput, give: Give): Promise<Accepted> {
  const place = parse(input.invite);
  if (place === undefined) throw refused();
  const table = ctx.home.table(place.tenant);
  for (let left = tries; left > 0; left -= 1) {
    const found = await read(table, place, ctx.now());
    if (found === undefined) throw refused();
    const { invite, tenant, inviter } = found;
    const made = await birth(ctx, { table, invite, input, give });
    const first = [
      made.ended,
      table.check(standingKind, tenant.id, { state: "active" }),
      Member.acting({ table }, inviter),
    ];
    try {
      await Quota.moving({ table }, { members: 1, grants: made.grants, invites: -1 }, [...first, ...made.changes]);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      // The invite, its tenant or its inviter ended; anything else (a team) only moved.
      if (error.index < first.length) throw refused(error);
      continue;
    }
    const { id, name, title } = tenant;
    return { tenant: { id, name, title }, member: made.member, token: made.text, expiresAt: made.expiresAt };
  }
  throw new Fault("unavailable", "The teams are changed by others all the time; try again.", { retryAfterSeconds: 1 });
}

/** What an invite's text means, as long as it works. */
async function read(table: Table, { tenant: id, invite: place, text }: Place & { text: string }, now: string) {
  const [invite, tenant] = await table.getAll([
    [inviteKind, place],
    [standingKind, id],
  ] as const);
  if (invite === undefined || tenant === undefined || tenant.state !== "active") return undefined;
  // Both are 64 hexadecimal characters, and the comparison takes as long whether one differs or all do.
  if (!timingSafeEqual(Buffer.from(invite.hash), Buffer.from(hash(text)))) return undefined;
  if (invite.ttl !== undefined || over(invite, now)) return undefined;
  const inviter = await table.get(Member.memberKind, invite.createdBy);
  if (inviter === undefined || inviter.state !== "active" || !Member.leads(inviter.role)) return undefined;
  return Member.reaches(inviter.role, invite.role) ? { invite, tenant, inviter } : undefined;
}

/** All rows of the new member, and the end of its invite. */
async function birth(
  ctx: Knocking,
  { table, invite, input, give }: { table: Table; invite: Invite; input: AcceptInput; give: Give },
) {
  const name = input.name ?? invite.name;
  if (name === undefined) {
    const errors = [{ field: "name", message: "must be said, as the invite names nobody" }];
    throw new Fault("invalid", "The new member needs a name.", { errors });
  }
  const timed = { table, now: () => ctx.now(), random: (bytes: number) => ctx.random(bytes) };
  const { member, changes } = Member.join(timed, { name, role: invite.role, kind: "person" });
  const expiresAt = new Date(Date.parse(ctx.now()) + input.expiresInDays * dayMs).toISOString();
  const of = { tenant: table.tenant, member: member.id, name: "invite", scopes: null, expiresAt };
  const { token, text, changes: session } = Token.issue(ctx, { ...of, kind: "session" });
  const { tenant } = table;
  const actor = { tenant, member: member.id, role: member.role, scopes: null, token: token.id };
  const acting: Audit.Acting = { ...timed, tenant, actor, requestID: ctx.requestID };
  const given: Change[] = [];
  for (const gift of invite.grants)
    given.push(...(await give(acting, { ...gift, subject: member.id, createdBy: invite.createdBy })));
  const found = await table.getAll(invite.teams.map((id) => [Team.teamKind, id] as const));
  // A team that was removed since then has nothing to give.
  const teams = found.filter((team) => team !== undefined).flatMap((team) => Team.joining(acting, team, member.id));
  return {
    member,
    text,
    expiresAt,
    grants: given.filter(({ kind, act }) => kind === "grant" && act === "insert").length,
    ended: ending(timed, invite.id, { acceptedAt: ctx.now(), acceptedBy: member.id }),
    changes: [
      Audit.entry(acting, { verb: "invite:accept", target: invite.id }),
      Audit.entry(acting, { verb: "member:create", target: member.id }),
      Audit.entry(acting, { verb: "session:create", target: token.id }),
      Outbox.note(timed, "all"),
      ...changes,
      ...session,
      ...teams,
      ...once(given),
    ],
  };
}

/** Two rights may stand on one group or project, and a write names a row once. */
const once = (changes: Change[]): Change[] => [
  ...new Map(changes.map((change) => [`${change.kind}/${change.id}`, change])).values(),
];
