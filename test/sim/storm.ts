import * as Tenant from "#core/tenant/index.ts";
import { newCaller } from "../world/people.ts";
import type { Actors } from "./actors.ts";
import type { User } from "./client.ts";
import { between, one } from "./dice.ts";
import type { Ground } from "./ground.ts";
import { type House, type Jobs, jobs as all } from "./jobs.ts";

/** How long faults go on, in virtual milliseconds. */
export const stormMs = 600_000;
/** Lets the world's time pass, until something is so or so many milliseconds are over. */
export type Until = (done: () => boolean, ms: number) => Promise<boolean>;

/** Ten minutes of work and faults of all kinds. */
export async function storm(ground: Ground, actors: Actors, jobs: Jobs, houses: House[], until: Until): Promise<void> {
  const { dice, world } = ground;
  const { clock } = world;
  const count = 6 + Math.floor(dice("count") * 6);
  let open = 0;
  const start = async (at: number): Promise<void> => {
    open += 1;
    // At first there is nothing to do anything to.
    const job = at < 2 ? "create" : one(dice("job", at), all);
    await clock.sleep(between(dice("when", at), 0, at < 2 ? 20_000 : stormMs * 0.8));
    await jobs.run(job, one(dice("house", at), houses));
    open -= 1;
  };
  const works = Array.from({ length: count }, (_, at) => start(at));
  void Promise.all([
    dice("host") < 0.2 &&
      clock.sleep(stormMs * 0.7 * dice("host at")).then(() => {
        ground.tell("the host is away");
        for (const { address } of ground.hosts) ground.away.set(address, Date.parse(clock.now()) + 600_000);
        for (const server of world.kubes.servers.values()) server.cut();
      }),
    dice("home") < 0.15 && clock.sleep(stormMs * 0.7 * dice("home at")).then(() => actors.homeAway(600_000)),
    ...Array.from({ length: Math.floor(dice("strikes") * 4) }, (_, at) =>
      clock.sleep(stormMs * dice("strike", at)).then(() => actors.strike(dice("struck", at))),
    ),
  ]);
  const end = Date.parse(clock.now()) + stormMs;
  await until(() => Date.parse(clock.now()) >= end, stormMs);
  await until(() => open === 0, stormMs * 3);
  ground.judge.hold("every request ends", open === 0, () => `${open} jobs do not end`);
  if (open === 0) await Promise.all(works);
}

/** Hosts, and tenants with an owner and a robot each, before anything goes wrong. */
export async function settleIn(ground: Ground, count: number): Promise<{ houses: House[]; staff: User }> {
  const { world } = ground;
  const ports = { from: 30_000, to: 30_003 };
  ground.hosts.push(await world.host({ ports }));
  if (count > 1) ground.hosts.push(await world.host({ ports, name: "south", address: "192.0.2.11" }));
  const text = await Tenant.bootstrap(world.deps);
  const staff: User = { tenant: world.deps.home.tenant, member: "staff", text };
  const houses: House[] = [];
  for (let at = 0; at < count; at += 1) {
    const made = await newCaller(world.doors, text).post("/v1/home/tenants", { name: `red${at}`, withToken: true });
    const [tenant, token] = [String(made.body["id"]), String(made.body["token"])];
    const caller = newCaller(world.doors, token);
    const robot = await caller.post("/v1/members", { name: "robot", kind: "robot", role: "editor" });
    const me = await caller.get("/v1/me");
    const member = String((me.body["member"] as { id: string } | undefined)?.id);
    houses.push({ tenant, owner: { tenant, member, text: token }, robot: String(robot.body["id"]) });
  }
  return { houses, staff };
}
