import { expect, test } from "vitest";
import { mutants } from "./mutants.ts";
import { hunt, known } from "./run.ts";

// A test that holds every check holds as long as no check can be taken away unseen. All of them in the deep run, which
// takes most of an hour; a few in the others, other ones with each seed.
const deep = process.env["BERTH_DEEP"] !== undefined;
const every = deep ? 1 : 100;
const seed = Number(process.env["BERTH_SEED"] ?? "20260105");

test("what one may take away is found by its words, and comments and texts are none of it", () => {
  const source = `// if (a) b();\nif (a && b !== "if (c)") throw c;\nconst d = e.filter((each) => each.f(1));\n  check(a, "b");\n`;
  expect(mutants(source).map(({ what, line }) => `${line} ${what}`)).toEqual([
    '2 never: if (a && b !== "if (c)")',
    '2 the other way: if (a && b !== "if (c)")',
    '2 && is ||: if (a && b !== "if (c)") throw c;',
    '2 !== is ===: if (a && b !== "if (c)") throw c;',
    "3 passes: filter((each) => each.f(1))",
    '4 gone: check(a, "b");',
  ]);
  expect(mutants(source)[0]?.text).toContain("if (false) throw c;");
});

test(`of the checks that decide about rights, ${deep ? "each" : "some"} deleted in turn, none is missed by no test`, async () => {
  const { made, survivors } = await hunt({ every, turn: seed % every, tell: console.info });
  expect(made).toBeGreaterThan(deep ? 400 : 2);
  const told = survivors.map(({ source, what }) => `${source} ${what}`);
  expect(told.filter((each) => !known.some(([what]) => each === what))).toEqual([]);
}, 14_400_000);
