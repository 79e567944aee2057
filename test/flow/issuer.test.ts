import { newStand, type Stand } from "./stand.ts";
import { createLocalJWKSet, importPKCS8, jwtVerify, SignJWT } from "jose";
import { beforeEach, expect, test } from "vitest";
import { openKey } from "#core/cluster/keys.ts";
import { clusterKind } from "#core/cluster/schema.ts";
import { newID } from "#core/id.ts";
import { workOf } from "#functions/deps.ts";

let stand: Stand;
let id: string;
beforeEach(async () => {
  stand = await newStand();
  id = await stand.make();
});
const stranger = () => stand.world.as(undefined);
const base = (): string => `/oidc/${stand.ada.tenant}/${id}`;

test("a token that the cluster's signer signed is verified by what anyone may read", async () => {
  const discovery = (await stranger().get(`${base()}/.well-known/openid-configuration`)).body;
  expect(discovery["issuer"]).toBe(`https://berth.test${base()}`);
  const jwks = await stranger().get(String(discovery["jwks_uri"]).replace("https://berth.test", ""));
  expect(jwks.headers.get("content-type")).toBe("application/jwk-set+json");
  const work = await workOf(stand.world.deps, stand.world.context(stand.ada.tenant));
  const row = stand.row(id);
  if (row === undefined) throw new Error("it is gone");
  const keys = await openKey(work, row, "authorities");
  const [key] = (jwks.body as { keys: { kid: string }[] }).keys;
  const signer = await importPKCS8(keys?.value.signer.privateKey ?? "", "RS256");
  const token = await new SignJWT({ sub: "system:serviceaccount:default:default" })
    .setProtectedHeader({ alg: "RS256", kid: key?.kid ?? "" })
    .setIssuer(String(discovery["issuer"]))
    .setAudience("sts")
    .sign(signer);
  const set = createLocalJWKSet(jwks.body as never);
  await expect(jwtVerify(token, set, { issuer: String(discovery["issuer"]), audience: "sts" })).resolves.toBeDefined();
  expect(Object.keys(key ?? {}).sort()).toEqual(["alg", "e", "kid", "kty", "n", "use"]);
});

test("nothing sealed is opened for it, and a member sees no more of the row than before", async () => {
  const before = JSON.stringify(stand.world.tables.calls);
  await stranger().get(`${base()}/openid/v1/jwks`);
  const { get: reads, ...rest } = JSON.parse(before) as { get: number };
  expect(stand.world.tables.calls).toEqual({ ...rest, get: reads + 1 });
  expect((await stand.ada.get(`/v1/clusters/${id}`)).body["status"]).not.toHaveProperty("signer");
});

test("all that is not there is one answer: foreign, unborn, gone, and what never could be", async () => {
  const other = await stand.world.tenant("blue");
  const unborn = await stand.ask({ name: "two" });
  const paths = [
    `/oidc/${other.tenant}/${id}`,
    `/oidc/${stand.ada.tenant}/${unborn}`,
    `/oidc/${stand.ada.tenant}/${newID(stand.world.deps, "cluster")}`,
    `/oidc/${id}/${stand.ada.tenant}`,
    `/oidc/x/..%2f..`,
    `/oidc/__proto__/constructor`,
  ];
  const answers = new Set<string>();
  for (const path of paths) {
    for (const rest of ["/.well-known/openid-configuration", "/openid/v1/jwks"]) {
      const { status, body } = await stranger().get(path + rest);
      expect(status, path).toBe(404);
      answers.add(JSON.stringify({ ...body, requestID: "" }));
    }
  }
  expect(answers.size).toBe(1);
});

test("the row of an older release gets its key with the next pass that writes", async () => {
  const row = stand.row(id);
  const { signer: _, ...status } = row?.status ?? { conditions: [] };
  const table = stand.world.deps.home.table(stand.ada.tenant);
  await table.edit(clusterKind, id, { set: { status }, remove: ["sight"] });
  expect((await stranger().get(`${base()}/openid/v1/jwks`)).status).toBe(404);
  await stand.world.deps.home.poke(stand.ada.tenant, id as never);
  await stand.world.drain();
  expect((await stranger().get(`${base()}/openid/v1/jwks`)).status).toBe(200);
});
