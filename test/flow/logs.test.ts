import { beforeEach, expect, test } from "vitest";
import { KubeFault } from "#core/context.ts";
import { kubeName } from "#core/id.ts";
import { newStand, type Stand } from "./stand.ts";

let stand: Stand;
let id: string;
beforeEach(async () => {
  stand = await newStand();
  id = await stand.make();
});
const logs = (query = "", who: Pick<Stand["ada"], "get"> = stand.ada) =>
  who.get(`/v1/kube/clusters/${id}/logs${query}`);
/** A Pod of the cluster as Kubernetes would have made it, and what it said. */
function pod(component: string, name: string, text: string): void {
  const namespace = kubeName(id);
  const labels = {
    "app.kubernetes.io/managed-by": "berth",
    "berth.dev/cluster": namespace,
    "berth.dev/component": component,
  };
  stand.kube.objects.create({ apiVersion: "v1", kind: "Pod", metadata: { name, namespace, labels }, spec: {} });
  stand.kube.logs.set(`${namespace}/${name}/${component}`, text);
}
const line = (second: number, text: string): string => `2026-01-05T08:00:0${second}.000000000Z ${text}\n`;

test("of each part the newest lines are read as they stand, with the type of plain text", async () => {
  for (const component of ["kube-apiserver", "etcd", "kube-controller-manager", "kube-scheduler"]) {
    pod(component, `${component}-a`, line(0, "one") + line(1, `two of ${component}`));
    const { status, text, headers } = await logs(`?component=${component}&lines=1`);
    expect([status, text]).toEqual([200, line(1, `two of ${component}`)]);
    expect(headers.get("content-type")).toMatch(/^text\/plain/);
  }
});

test("of two Pods of one part the newer is read", async () => {
  pod("kube-apiserver", "z-old", line(0, "old"));
  await stand.world.clock.pass(2_000);
  pod("kube-apiserver", "a-new", line(1, "new"));
  expect((await logs()).text).toBe(line(1, "new"));
});

test("a viewer does not read them, and to another tenant they are not there", async () => {
  pod("kube-apiserver", "a", line(0, "secret of red"));
  const viewer = await stand.world.member(stand.ada.tenant, "viewer");
  expect((await logs("", viewer)).status).toBe(403);
  const foreign = await logs("", await stand.world.tenant("blue"));
  expect([foreign.status, foreign.text.includes("secret")]).toEqual([404, false]);
  const editor = await stand.world.member(stand.ada.tenant, "editor");
  expect((await logs("", editor)).status).toBe(200);
});

test("a Pod of another cluster is never read, whatever it is called", async () => {
  const other = await stand.make({ name: "two" });
  pod("kube-apiserver", "a", line(0, "of one"));
  const { status, text } = await stand.ada.get(`/v1/kube/clusters/${other}/logs`);
  expect([status, text.includes("of one")]).toEqual([409, false]);
});

test("while there is no Pod it is 409", async () => {
  expect(await logs()).toMatchObject({ status: 409, body: { kind: "conflict" } });
});

test.each([
  ["invalid", 409],
  ["missing", 409],
  ["unavailable", 503],
  ["forbidden", 503],
] as const)("when its host says %s it is %d, and no word of the host's gets out", async (kind, status) => {
  pod("kube-apiserver", "a", "");
  stand.world.outside = ({ kube, when }) => {
    if (kube?.verb === "logs" && when === "before") throw new KubeFault(kind, "inside words");
  };
  const answer = await logs();
  expect([answer.status, answer.text.includes("inside words")]).toEqual([status, false]);
});

test.each(["component=kubelet", "lines=0", "lines=5001", "since=yesterday", "previous=yes", "container=x"])(
  "%s is refused by its name",
  async (query) => {
    const { status, body } = await logs(`?${query}`);
    expect(status).toBe(400);
    expect(body["errors"]).toMatchObject([{ field: query.split("=")[0] }]);
  },
);
