import type { Context } from "#core/context.ts";
import type { Host } from "#core/host/schema.ts";
import type { ID } from "#core/id.ts";
import type { Role } from "#core/role.ts";
import * as Token from "#core/token/index.ts";
import { contextOf } from "#functions/deps.ts";
import { newWorld } from "../world/index.ts";
import { newRow } from "../world/host.ts";

export { homeTenant, kubeconfigOf } from "../world/index.ts";
export type { Answer } from "../world/index.ts";

/** The world as tests of one door want it: callers are plain functions, and hosts are rows without a credential. */
export function newStage() {
  const world = newWorld();
  /** The context of whoever a token is of, as a door makes it. */
  const enter = async (text: string): Promise<Context> =>
    contextOf(world.deps, await Token.authenticate(world.deps, text, { fresh: true }), "test");
  return {
    ...world,
    as: (token: string | undefined) => world.as(token).call,
    staff: async () => (await world.staff()).call,
    tenant: async (name: string) => {
      const owner = await world.tenant(name);
      return { id: owner.tenant, owner };
    },
    member: (tenant: ID<"tenant">, role: Role, scopes: string[] | null = null) => world.member(tenant, role, scopes),
    enter,
    /** A tenant `red` with its first owner, ada. */
    red: async () => {
      const owner = await world.tenant("red");
      return { tenant: owner.tenant, ada: await enter(owner.text) };
    },
    host: (more: Partial<Host> = {}) => newRow(world.deps, more),
  };
}
export type Stage = ReturnType<typeof newStage>;
