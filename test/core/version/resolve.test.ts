import { expect, test } from "vitest";
import { find, resolve } from "#core/version/index.ts";
import { entries } from "#core/version/catalogue.ts";

const all = entries.map(({ version }) => version);
const said = (text: string | undefined, runnable: string[]) => {
  try {
    return resolve(text, runnable);
  } catch (fault) {
    return fault;
  }
};

test("none named is the newest supported one that can be run, never a preview or a deprecated one", () => {
  expect(resolve(undefined, all)).toBe("1.35.4");
  expect(resolve(undefined, ["1.33.13", "1.34.4", "1.36.3"])).toBe("1.34.4");
  expect(said(undefined, ["1.33.13", "1.36.3"])).toMatchObject({ kind: "unavailable" });
  expect(said(undefined, [])).toMatchObject({ kind: "unavailable" });
});

test("a minor is its newest patch, an exact version itself, also deprecated and preview ones", () => {
  expect(resolve("1.33", all)).toBe("1.33.13");
  expect(resolve("1.36.3", all)).toBe("1.36.3");
});

test("an expired version is refused with the day it ended, by minor or by patch", () => {
  for (const text of ["1.32", "1.32.9"]) {
    expect(said(text, all)).toMatchObject({
      kind: "invalid",
      errors: [{ field: "version", message: "1.32 is expired: Kubernetes ended it on 2026-02-28." }],
    });
  }
});

test("1.3 is not 1.33, and what is not in the catalogue is refused with what is", () => {
  for (const text of ["1.3", "1.34.99", "2.0"]) {
    expect(said(text, all)).toMatchObject({ kind: "invalid", errors: [{ field: "version" }] });
    expect((said(text, all) as Error).message).toContain("not in the catalogue, which has 1.33.13, 1.34.4");
  }
});

test("one that no host can run is refused with those that can be", () => {
  expect((said("1.36", ["1.34.4"]) as Error).message).toContain("these can be run: 1.34.4");
});

test("every version has its etcd, and neighbours' etcds are one minor apart at most", () => {
  const minors = all.map((version) => Number(find(version).etcd.split(".")[1]));
  for (const [i, minor] of minors.entries()) expect(minor - (minors[i - 1] ?? minor)).toBeLessThanOrEqual(1);
  expect(() => find("1.32.0")).toThrow("not in the catalogue");
});
