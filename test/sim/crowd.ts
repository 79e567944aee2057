import type { Ground } from "./ground.ts";
import type { House } from "./jobs.ts";

/** What several people do at the same moment is made of. */
export interface Crowd {
  ground: Ground;
  create(house: House, name: string, key: string): Promise<void>;
  update(house: House, id: string, key: string): Promise<void>;
  remove(house: House, id: string): Promise<unknown>;
  limit(house: House, limits: Record<string, number>): Promise<unknown>;
  newToken(house: House, name: string): Promise<unknown>;
}

/** Two change one cluster at once; now and then one of them wants it gone. */
export async function twins({ ground, update, remove }: Crowd, house: House, id: string, key: string): Promise<void> {
  const other = ground.dice("other", key) < 0.2 ? remove(house, id) : update(house, id, `${key}-2`);
  await Promise.all([update(house, id, `${key}-1`), other]);
}

/** Three come at once for the last place of a quota. */
export async function rush(crowd: Crowd, house: House, key: string): Promise<void> {
  const { world, dice } = crowd.ground;
  const what = dice("what", key) < 0.3 ? "clusters" : "tokens";
  const used = Number(world.tables.peek(house.tenant, "quota", what)?.["used"] ?? 0);
  await crowd.limit(house, { [what]: used + 1 });
  const names = [1, 2, 3].map((each) => `${key}-${each}`);
  await Promise.all(
    names.map((name) => (what === "tokens" ? crowd.newToken(house, name) : crowd.create(house, name, name))),
  );
}

/** The next cluster comes while the one before it is still being removed, and may want its seat. */
export async function move(crowd: Crowd, house: House, id: string, key: string): Promise<void> {
  await crowd.remove(house, id);
  await crowd.create(house, key, key);
}
