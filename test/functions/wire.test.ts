import { expect, test } from "vitest";
import { open, Settings } from "#functions/wire.ts";
import { homeTenant } from "./stage.ts";

const settings = {
  homeTenant,
  url: "http://127.0.0.1:8080",
  region: "local",
  table: { name: "berth", endpoint: "http://127.0.0.1:1" },
  queue: { url: "http://127.0.0.1:1/0/jobs", deadURL: "http://127.0.0.1:1/0/dead", endpoint: "http://127.0.0.1:1" },
  keyFile: "/nonexistent/key",
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
