import type { Context } from "#core/context.ts";
import * as Grant from "#core/grant/index.ts";
import type { ID } from "#core/id.ts";
import * as Invite from "#core/invite/index.ts";
import * as Quota from "#core/quota/index.ts";
import { newStage } from "../../functions/stage.ts";

export const dayMs = 86_400_000;
/** The one answer to every invite that does not work. */
export const refused = { kind: "unauthenticated", message: "A valid invite is needed." };
export const textOf = (link: string): string => link.slice(link.lastIndexOf("/") + 1);
export const self = (ctx: Context): ID<"member"> => ctx.actor.member as ID<"member">;

/** A tenant whose owner, ada, invites, and the door where invites are accepted. */
export async function newInviting() {
  const stage = newStage();
  const { tenant, ada } = await stage.red();
  const knocking = { ...stage.deps, requestID: "test" };
  return {
    stage,
    tenant,
    ada,
    invite: (more: Partial<Invite.CreateInput> = {}, by = ada) =>
      Invite.create(by, Invite.CreateInput.parse({ role: "viewer", ...more }), Grant.givable),
    accept: (link: string, more: Partial<Invite.AcceptInput> = {}) =>
      Invite.accept(knocking, Invite.AcceptInput.parse({ invite: link, name: "bob", ...more }), Grant.giving),
    /** What is used of each quota. */
    used: async (): Promise<Record<string, number | null>> =>
      Object.fromEntries((await Quota.list(ada)).map((each) => [each.what, each.used])),
    /** How many rows there are. */
    count: (): number => stage.tables.rows().size,
  };
}
export type Inviting = Awaited<ReturnType<typeof newInviting>>;
