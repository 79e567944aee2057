import { expect, test } from "vitest";
import { merge } from "#core/condition.ts";

test("a step that waits has not begun, and one that is done keeps its time", () => {
  const at = (second: number): string => `2026-01-01T00:00:0${second}.000Z`;
  const goal = (status: "True" | "False", reason: string) => ({ type: "X", status, reason, message: "" });
  const waiting = merge([], [goal("False", "Waiting")], at(0));
  expect(waiting[0]?.startedAt).toBeUndefined();
  const begun = merge(waiting, [goal("False", "InProgress")], at(2));
  expect(begun[0]).toMatchObject({ at: at(0), startedAt: at(2) });
  const done = merge(begun, [goal("True", "Done")], at(5));
  expect(done[0]).toMatchObject({ at: at(5), tookSeconds: 3 });
  expect(merge(done, [goal("True", "Done")], at(9))).toEqual(done);
});
