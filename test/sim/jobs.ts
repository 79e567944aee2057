import { kubeName } from "#core/id.ts";
import type { Answer } from "../world/people.ts";
import type { Actors } from "./actors.ts";
import { type Client, newClient, type User } from "./client.ts";
import { type Crowd, move, rush, twins } from "./crowd.ts";
import { between, one } from "./dice.ts";
import type { Ground } from "./ground.ts";
import { newRightJobs, rightJobs } from "./rights.ts";
import { disturb } from "./stranger.ts";

/** A tenant of a run, and what its people were told. */
export interface House {
  tenant: string;
  owner: User;
  robot: string;
}

/** What clients were told for good, to be held against what is there at the end. */
export interface Told {
  created: { id: string; mark: string }[];
  /** Every answer with a generation and the labels that it said. */
  updated: { id: string; generation: number; labels: unknown }[];
  removed: string[];
  /** Texts of tokens, and whether they must work; undefined when nobody was told. */
  tokens: Map<string, { tenant: string; id: string; works: boolean | undefined }>;
  members: Map<string, { tenant: string; state: "active" | "suspended" | "gone" | undefined }>;
  operations: number;
}

export const jobs = [
  "create",
  "update",
  "remove",
  "swap",
  "access",
  "token",
  "rotate",
  "revoke",
  "join",
  "suspend",
  "leave",
  "stranger",
  "limit",
  "close",
  "look",
  "twins",
  "rush",
  "move",
  ...rightJobs,
] as const;
export type Job = (typeof jobs)[number];

export const newTold = (): Told => ({
  created: [],
  updated: [],
  removed: [],
  tokens: new Map(),
  members: new Map(),
  operations: 0,
});

/** The work that people give: each job asks as a client would, and notes what it was answered. */
export function newJobs(ground: Ground, actors: Actors, staff: User, told: Told) {
  const { dice, judge, world } = ground;
  const client: Client = newClient(ground, actors);
  const names = ["one", "two"];
  let number = 0;

  const living = (house: House): string[] =>
    [...judge.clusters].filter(([, { tenant, gone }]) => tenant === house.tenant && !gone).map(([id]) => id);

  async function create(house: House, name: string, key: string): Promise<void> {
    const labels = { mark: key, canary: `canary-${house.tenant.slice(4)}` };
    judge.tell(house.tenant, labels.canary);
    const body = { name, labels };
    const asked = { method: "POST", path: "/v1/clusters", body };
    const answers = await client.insist(house.owner, asked, key);
    const good = answers.filter(({ status }) => status === 201);
    for (const { body: made } of good) told.created.push({ id: String(made["id"]), mark: key });
    const ids = new Set(good.map(({ body: made }) => made["id"]));
    judge.hold("I3 one effect per key", ids.size <= 1, () => `${key}: ${[...ids].join()}`);
    // Whoever was refused for a name that is taken was not refused by a cluster of its own.
    const refused = answers.find(({ status, text }) => status === 409 && text.includes("There is a cluster named"));
    const own = [...judge.clusters.values()].some(
      ({ mark, gone, at }) => mark === key && !gone && at < (refused?.at ?? 0),
    );
    judge.hold("I3 nobody is in its own way", !(own && good.length === 0), () => key);
  }

  async function remove(house: House, id: string): Promise<Answer | undefined> {
    const answer = await client.ask(house.owner, { method: "DELETE", path: `/v1/clusters/${id}` });
    if (answer !== undefined && answer.status < 300) told.removed.push(id);
    return answer;
  }

  async function update(house: House, id: string, key: string): Promise<void> {
    const { owner } = house;
    const protects = dice("protects", key) < 0.2;
    const labels = { mark: `${judge.clusters.get(id)?.mark}`, by: key };
    const body = protects ? { deletionProtection: dice("on", key) < 0.5 } : { labels };
    const now =
      dice("match", key) < 0.4 ? await client.ask(owner, { method: "GET", path: `/v1/clusters/${id}` }) : null;
    const etag = now?.headers.get("etag");
    const headers = etag === null || etag === undefined ? {} : { "If-Match": etag };
    const answers = await client.insist(owner, { method: "PATCH", path: `/v1/clusters/${id}`, body, headers }, key);
    for (const { status, body: row } of answers) {
      if (status !== 200) continue;
      const { generation, spec } = row as { generation: number; spec: { labels: unknown } };
      told.updated.push({ id, generation, labels: spec.labels });
    }
  }

  const tokensOf = (house: House) =>
    [...told.tokens].filter(([, { tenant, works }]) => tenant === house.tenant && works === true);
  const membersOf = (house: House) =>
    [...told.members].filter(([, { tenant, state }]) => tenant === house.tenant && state !== "gone").map(([id]) => id);

  async function newToken(house: House, path: string, body: unknown): Promise<boolean> {
    const answer = await client.ask(house.owner, { method: "POST", path, body });
    if (answer?.status !== 201) return false;
    const text = String(answer.body["token"]);
    judge.tell(house.tenant, text);
    told.tokens.set(text, { tenant: house.tenant, id: String(answer.body["id"]), works: true });
    return true;
  }

  async function member(house: House, id: string, to: "suspended" | "active" | "gone"): Promise<void> {
    const path = `/v1/members/${id}`;
    const known = { tenant: house.tenant, state: undefined };
    told.members.set(id, known);
    const asked = to === "gone" ? { method: "DELETE", path } : { method: "PATCH", path, body: { state: to } };
    const answer = await client.ask(house.owner, asked);
    if (answer !== undefined && answer.status < 300 && told.members.get(id) === known)
      told.members.set(id, { ...known, state: to });
  }

  const asStaff = async (house: House, body: unknown): Promise<unknown> =>
    await client.ask(staff, { method: "PATCH", path: `/v1/home/tenants/${house.tenant}`, body });

  const granting = newRightJobs({ ground, client, told });

  const crowd: Crowd = {
    ground,
    create,
    update,
    remove,
    limit: (house, limits) => asStaff(house, { limits }),
    newToken: (house, name) => newToken(house, "/v1/tokens", { name, member: house.robot }),
  };

  return {
    client,
    asStaff,
    /** @param house whose people do it. */
    async run(job: Job, house: House): Promise<void> {
      const key = `job-${(number += 1)}-${job}`;
      told.operations += 1;
      ground.tell(`${key} of ${house.tenant}`);
      const clusters = living(house);
      const id = clusters.length > 0 ? one(dice("which", key), clusters) : undefined;
      const name = one(dice("name", key), names);
      switch (job) {
        case "create":
          return await create(house, name, key);
        case "update":
          return id === undefined ? undefined : await update(house, id, key);
        case "remove":
          return id === undefined ? undefined : void (await remove(house, id));
        case "swap": {
          if (id === undefined) return;
          await remove(house, id);
          return await create(house, judge.clusters.get(id)?.name ?? name, key);
        }
        case "access": {
          if (id === undefined) return;
          const form = dice("form", key) < 0.5 ? "token" : "kubeconfig";
          const path = `/v1/kube/clusters/${id}/${form}`;
          const answer = await client.ask(house.owner, { method: "POST", path, body: { seconds: 600 } });
          if (answer?.status === 201)
            judge.tell(house.tenant, String(answer.body["token"] ?? answer.body["kubeconfig"]));
          return;
        }
        case "token":
          return void (await newToken(house, "/v1/tokens", { name: key, member: house.robot }));
        case "rotate":
        case "revoke": {
          const [text, token] = tokensOf(house).at(-1) ?? [];
          if (text === undefined || token === undefined) return;
          told.tokens.set(text, { ...token, works: undefined });
          if (job === "rotate") {
            const ended = await newToken(house, `/v1/tokens/${token.id}/rotate`, { overlapSeconds: 0 });
            if (ended) told.tokens.set(text, { ...token, works: false });
            return;
          }
          const answer = await client.ask(house.owner, { method: "DELETE", path: `/v1/tokens/${token.id}` });
          if (answer !== undefined && answer.status < 300) told.tokens.set(text, { ...token, works: false });
          return;
        }
        case "join": {
          const body = { name: key, role: one(dice("role", key), ["owner", "editor", "viewer"]), kind: "person" };
          const answer = await client.ask(house.owner, { method: "POST", path: "/v1/members", body });
          if (answer?.status === 201)
            told.members.set(String(answer.body["id"]), { tenant: house.tenant, state: "active" });
          return;
        }
        case "suspend":
        case "leave": {
          const members = membersOf(house);
          if (members.length === 0) return;
          const to = job === "leave" ? "gone" : one(dice("to", key), ["suspended", "active"] as const);
          return await member(house, one(dice("who", key), members), to);
        }
        case "stranger":
          return id === undefined ? undefined : disturb(ground, kubeName(id), key);
        case "limit":
          return void (await asStaff(house, {
            limits: { clusters: 1 + Math.floor(between(dice("limit", key), 0, 3)) },
          }));
        case "close": {
          await asStaff(house, { state: "suspended" });
          await world.clock.sleep(between(dice("closed", key), 1_000, 60_000));
          return void (await asStaff(house, { state: "active" }));
        }
        case "look": {
          await client.ask(house.owner, { method: "GET", path: "/v1/clusters" });
          // Of the others' ids nobody learns anything.
          const foreign = [...judge.clusters].find(([, { tenant }]) => tenant !== house.tenant)?.[0];
          if (foreign === undefined) return;
          for (const path of [`/v1/clusters/${foreign}`, `/v1/clusters/${foreign}/receipt`]) {
            const answer = await client.ask(house.owner, { method: "GET", path });
            judge.hold("I5 a foreign id is one that never was", (answer?.status ?? 404) >= 400, () => path);
          }
          return;
        }
        case "twins":
          return id === undefined ? undefined : await twins(crowd, house, id, key);
        case "rush":
          return await rush(crowd, house, key);
        case "move":
          return id === undefined ? undefined : await move(crowd, house, id, key);
        default:
          return await granting(job, house, key);
      }
    },
  };
}
export type Jobs = ReturnType<typeof newJobs>;
