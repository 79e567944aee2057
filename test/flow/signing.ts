import { expect } from "vitest";
import type { ID } from "#core/id.ts";
import { type Answer, type Caller, newWorld, type World } from "../world/index.ts";
import type { Issuer } from "../functions/api/issuer.ts";

export type Owner = Caller & { tenant: ID<"tenant"> };

/** A world in which people sign in to the tenant `red`, whose owner is ada, by an issuer on loopback. */
export async function newSigning(issuer: Issuer) {
  const world: World = newWorld();
  Object.assign(world.deps.home, { privateIssuers: ["127.0.0.1"] });
  issuer.answers = {};
  issuer.asked.length = 0;
  issuer.forms.length = 0;
  /** As staff makes one: with its name in the platform's directory, by which strangers find it. */
  const owner = async (name: string): Promise<Owner> => {
    const { body } = await (await world.staff()).post("/v1/home/tenants", { name, withToken: true });
    return { tenant: body["id"] as ID<"tenant">, ...world.as(String(body["token"])) };
  };
  const ada = await owner("red");
  return {
    world,
    ada,
    owner,
    /** A provider of the tenant's, named `house`. @returns its id. */
    async provide(more: object = {}, who: Owner = ada): Promise<string> {
      const answer = await who.post("/v1/providers", { name: "house", issuer: issuer.url, clientID: "berth", ...more });
      expect(answer.status, answer.text).toBe(201);
      return String(answer.body["id"]);
    },
    /** Signs in with an ID token of these claims, good in every other way. */
    async enter(claims: object = {}, more: object = {}): Promise<Answer> {
      const idToken = await issuer.token(world.clock.now(), { name: "Bob", ...claims });
      return await world.as(undefined).post("/v1/sessions", { tenant: "red", provider: "house", idToken, ...more });
    },
  };
}
