import { expect, test } from "vitest";
import type { Place } from "#core/token/text.ts";
import { compose, parse } from "#core/token/text.ts";
import { newChance } from "../../world/clock.ts";

const place: Place = {
  tenant: "tnt_01k00000000000000000000001",
  member: "mbr_01k00000000000000000000002",
  token: "tok_01k00000000000000000000003",
};
const text = compose({ random: newChance(1) }, place);

test("a token's text names where to look, and nothing else is needed to find it", () => {
  expect(text).toMatch(/^berth_[0-9a-z]{78}_[0-9A-Za-z]{38}$/);
  expect(parse(text)).toEqual(place);
});

test("whichever character is changed, the text is no token any more", () => {
  for (let at = 0; at < text.length; at += 1) {
    const other = text[at] === "7" ? "8" : "7";
    expect(parse(text.slice(0, at) + other + text.slice(at + 1)), `at ${at}`).toBeUndefined();
  }
});

test("what is longer, shorter, in capitals or not ours at all is no token", () => {
  for (const not of [
    "",
    "berth_",
    `${text} `,
    `${text}0`,
    text.slice(1),
    text.toUpperCase(),
    `x${text}`,
    `${text}\n`,
  ]) {
    expect(parse(not), JSON.stringify(not)).toBeUndefined();
  }
});

test("a thousand tokens of one member are a thousand secrets", () => {
  const random = newChance(2);
  const secrets = new Set(Array.from({ length: 1_000 }, () => compose({ random }, place).slice(85, 117)));
  expect(secrets.size).toBe(1_000);
});
