import { expect, test } from "vitest";
// The world comes before core, whose keys it keeps from being made twice.
import { type Answer, hostToken, kubeconfigOf } from "../world/index.ts";
import { newStand, type Stand } from "./stand.ts";
import { KubeFault } from "#core/context.ts";
import { keyKind, openKey } from "#core/cluster/keys.ts";
import { workOf } from "#functions/deps.ts";

const encoded = (text: string): string[] =>
  [0, 1, 2].map((offset) =>
    Buffer.from(" ".repeat(offset) + text)
      .toString("base64")
      .slice(offset === 0 ? 0 : 4, -4),
  );
/** Any form in which a text may stand in another: itself, base64 at each offset, and that once more. */
const forms = (text: string): string[] => [
  text,
  Buffer.from(text).toString("hex"),
  ...encoded(text),
  ...encoded(text).flatMap(encoded),
];

async function keysOf({ world, ada, row }: Stand, id: string): Promise<string[]> {
  const cluster = row(id);
  const work = await workOf(world.deps, world.context(ada.tenant));
  if (cluster === undefined) throw new Error("there is no such cluster");
  const [authorities, leaves, access] = await Promise.all([
    openKey(work, cluster, "authorities"),
    openKey(work, cluster, "leaves"),
    openKey(work, cluster, "access"),
  ]);
  const { signer, encryption, ...pairs } = authorities?.value ?? {};
  const keys = [...Object.values(pairs), ...Object.values(leaves?.value ?? {}), access?.value].map((pair) => pair?.key);
  // The second line of each key: the first begins alike in all.
  return [encryption ?? "", ...[...keys, signer?.privateKey].map((key = "") => key.split("\n")[2] ?? "")];
}

test("no key, token or credential stands in clear in any row, log line or answer, in good days and bad", async () => {
  const stand = await newStand();
  const { world, ada } = stand;
  const answers: Answer[] = [];
  const seen: unknown[] = [];
  const say = async (answer: Promise<Answer>): Promise<Answer> => {
    answers.push(await answer);
    seen.push([...world.tables.rows()]);
    return await answer;
  };
  const staff = await world.staff();
  await say(
    staff.post("/v1/home/hosts", {
      name: "south",
      region: "south",
      address: "192.0.2.20",
      ports: { from: 30_000, to: 30_001 },
      versions: ["1.34.4"],
      imagePrefix: "images.test/berth",
      storageClass: "standard",
      serviceCIDRs: ["10.96.0.0/16"],
      podCIDRs: ["10.244.0.0/16"],
      kubeconfig: await kubeconfigOf("https://192.0.2.20:6443"),
    }),
  );
  await say(staff.get("/v1/home/hosts"));
  const id = await stand.make({ version: "1.34" });
  const secrets = [...(await keysOf(stand, id)), hostToken, ada.text.slice(-38)];
  const issued = await ada.post(`/v1/kube/clusters/${id}/token`, {});
  secrets.push(String(issued.body["token"]).slice(10, 60));
  const made = await ada.post("/v1/tokens", { name: "ci" });
  secrets.push(String(made.body["token"]).slice(-38));
  for (const kind of ["invalid", "unavailable", "forbidden", "conflict"] as const) {
    stand.kube.troubles = [{ match: () => true, fault: new KubeFault(kind, `told ${kind}`), when: "before" }];
    await world.round();
    await say(ada.post(`/v1/kube/clusters/${id}/token`, { seconds: 5 }));
    await say(ada.get(`/v1/clusters/${id}`));
  }
  stand.kube.troubles = [];
  world.tables.before = () => Promise.reject(new Error("the store is away"));
  await say(ada.get(`/v1/clusters/${id}`)).catch(() => undefined);
  world.tables.before = undefined;
  await world.sweep(12);
  for (const path of ["", "/kubeconfig"]) await say(ada.get(`/v1/clusters/${id}${path}`));
  for (const path of ["/v1/clusters", "/v1/tokens", "/v1/members", "/v1/audit", "/v1/me"]) await say(ada.get(path));
  // An owner may read all that is in the cluster, but the kinds and names that hold keys are on the host alone.
  const readable = stand.inside(id).objects.all();
  await world.digest();
  await say(ada.delete(`/v1/clusters/${id}`));
  await world.drain();
  await say(ada.get(`/v1/clusters/${id}/receipt`));

  expect(answers.length).toBeGreaterThan(15);
  expect(world.lines.length).toBeGreaterThan(30);
  expect(world.counted.length).toBeGreaterThan(30);
  expect(readable.length).toBeGreaterThan(5);
  expect(new Set(secrets).size).toBe(secrets.length);
  const texts = {
    rows: JSON.stringify(seen),
    log: JSON.stringify(world.lines),
    answers: JSON.stringify(answers.map(({ text, headers }) => [text, [...headers]])),
    letters: JSON.stringify([world.queue.letters, world.queue.dead]),
    metrics: JSON.stringify(world.counted),
    "objects that the tenant can read": JSON.stringify(readable),
  };
  const found = Object.entries(texts).flatMap(([where, text]) =>
    [...secrets, "PRIVATE KEY"].flatMap((secret) =>
      forms(secret).some((form) => form.length > 5 && text.includes(form)) ? [`${secret} in ${where}`] : [],
    ),
  );
  expect(found).toEqual([]);
});

test("the canary sings: each of these secrets is seen where it does stand", async () => {
  const stand = await newStand();
  const id = await stand.make();
  const host = JSON.stringify(stand.kube.objects.all().filter(({ kind }) => kind === "Secret"));
  const missing = (await keysOf(stand, id))
    .slice(1, -2)
    .filter((key) => !forms(key).some((form) => host.includes(form)));
  // The authorities' own keys but the cluster's, which signs machines' certificates, never leave home.
  expect(missing).toHaveLength(2);
});

test("a sealed text that is moved to another cluster's row does not open, and nothing is made of it", async () => {
  const stand = await newStand();
  const { world, ada } = stand;
  const [one, two] = [await stand.make({ name: "one" }), await stand.make({ name: "two" })];
  const table = world.deps.home.table(ada.tenant);
  const stolen = await table.get(keyKind, `${one}/authorities`);
  await table.edit(keyKind, `${two}/authorities`, { set: { sealed: stolen?.sealed } });
  const before = stand.onHost(two);
  await world.round();
  expect(stand.conditions(two)["Retrying"]).toMatchObject({ status: "True" });
  expect(stand.onHost(two)).toEqual(before);
  expect(await stand.phase(one)).toBe("Ready");
});
