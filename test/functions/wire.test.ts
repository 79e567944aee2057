import { expect, test } from "vitest";
import { open, Settings, settingsOf } from "#functions/wire.ts";
import { homeTenant } from "./stage.ts";

const settings = {
  homeTenant,
  url: "http://127.0.0.1:8080",
  region: "local",
  table: { name: "berth", endpoint: "http://127.0.0.1:1" },
  queue: { url: "http://127.0.0.1:1/0/jobs", deadURL: "http://127.0.0.1:1/0/dead", endpoint: "http://127.0.0.1:1" },
  key: { file: "/nonexistent/key" },
  credentials: { accessKeyId: "local", secretAccessKey: "local" },
};

test("opening asks nobody, and chance is fresh and of its own", async () => {
  const deps = open(Settings.parse(settings));
  const [one, other] = [deps.random(4), deps.random(4)];
  expect(one.buffer.byteLength).toBe(4);
  expect(one).not.toEqual(other);
  await deps.sleep(60_000, AbortSignal.abort());
  expect(await deps.tools()).toBe(await deps.tools());
  deps.close();
});

test("settings that can't be are refused by name", () => {
  expect(Settings.safeParse({ ...settings, homeTenant: "home" }).error?.issues[0]?.path).toEqual(["homeTenant"]);
  expect(Settings.safeParse({ ...settings, url: "http://127.0.0.1:8080/" }).success).toBe(false);
});

test("what is linked in the cloud becomes settings, and what is missing there is refused by name", () => {
  const linked = {
    tenant: homeTenant,
    url: "https://d111.cloudfront.test/",
    table: "berth-production-Data",
    jobs: "https://sqs.test/jobs",
    dead: "https://sqs.test/dead",
    key: "arn:aws:kms:eu-central-1:123456789012:key/one",
    type: "sst.sst.Linkable",
  };
  expect(settingsOf(linked, "eu-central-1")).toEqual({
    homeTenant,
    url: "https://d111.cloudfront.test",
    region: "eu-central-1",
    table: { name: linked.table },
    queue: { url: linked.jobs, deadURL: linked.dead },
    key: { kms: linked.key },
    privateIssuers: [],
  });
  const inside = settingsOf({ ...linked, privateIssuers: "idp.example.test,10.0.0.0/8" }, "eu-central-1");
  expect(inside.privateIssuers).toEqual(["idp.example.test", "10.0.0.0/8"]);
  expect(() => settingsOf({ ...linked, jobs: undefined }, "eu-central-1")).toThrow(/jobs/);
});
