import type { Role } from "#core/allow.ts";
import type { Host } from "#core/host/schema.ts";
import type { ID } from "#core/id.ts";
import { newWorld } from "../world/index.ts";
import { newRow } from "../world/host.ts";

export { homeTenant, kubeconfigOf } from "../world/index.ts";
export type { Answer } from "../world/index.ts";

/** The world as tests of one door want it: callers are plain functions, and hosts are rows without a credential. */
export function newStage() {
  const world = newWorld();
  return {
    ...world,
    as: (token: string | undefined) => world.as(token).call,
    staff: async () => (await world.staff()).call,
    tenant: async (name: string) => {
      const owner = await world.tenant(name);
      return { id: owner.tenant, owner };
    },
    member: (tenant: ID<"tenant">, role: Role, scopes: string[] | null = null) => world.member(tenant, role, scopes),
    host: (more: Partial<Host> = {}) => newRow(world.deps, more),
  };
}
export type Stage = ReturnType<typeof newStage>;
