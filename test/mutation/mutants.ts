// What one may take away from a source: each check deleted or turned about, one at a time. By text alone: what is no
// code (comments and texts) is left out first, and what no longer parses counts as found.

export interface Mutant {
  /** Line, from 1. */
  line: number;
  /** What was done, in words. */
  what: string;
  /** The whole source with it. */
  text: string;
}

/** The source with comments and texts blanked, letter for letter. */
function bare(text: string): string {
  const blank = (all: string): string => all.replaceAll(/[^\n]/g, " ");
  return text.replaceAll(/\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/g, blank);
}

/** Where the parenthesis that opens at `from` closes. */
function closing(code: string, from: number): number {
  let depth = 0;
  for (let at = from; at < code.length; at += 1) {
    if ("([{".includes(code[at] ?? "")) depth += 1;
    if (")]}".includes(code[at] ?? "")) depth -= 1;
    if (depth === 0) return at;
  }
  throw new Error("a parenthesis does not close");
}

const short = (text: string): string => text.replaceAll(/\s+/g, " ").slice(0, 90);

/** All mutants of a source, in its order. */
export function mutants(source: string): Mutant[] {
  const code = bare(source);
  const found: (Mutant & { at: number })[] = [];
  const put = (from: number, to: number, by: string, what: string): void => {
    const text = source.slice(0, from) + by + source.slice(to);
    found.push({ at: from, line: source.slice(0, from).split("\n").length, what, text });
  };
  for (const { index, 0: word } of code.matchAll(/\bif \(/g)) {
    const open = index + word.length - 1;
    const end = closing(code, open);
    const condition = source.slice(open + 1, end);
    put(open + 1, end, "false", `never: if (${short(condition)})`);
    put(open + 1, end, `!(${condition})`, `the other way: if (${short(condition)})`);
  }
  for (const { index, 0: word, 1: name } of code.matchAll(/\.(filter|some|every)\(/g)) {
    const open = index + word.length - 1;
    const end = closing(code, open);
    const inner = source.slice(open + 1, end);
    const [by, other] = name === "some" ? ["() => false", "() => true"] : ["() => true", "() => false"];
    put(open + 1, end, by, `passes: ${name}(${short(inner)})`);
    if (name !== "filter") put(open + 1, end, other, `the other way: ${name}(${short(inner)})`);
  }
  for (const [sign, by] of [
    ["&&", "||"],
    ["||", "&&"],
    ["===", "!=="],
    ["!==", "==="],
  ] as const) {
    for (let at = code.indexOf(sign); at >= 0; at = code.indexOf(sign, at + sign.length)) {
      // What only asks whether something is there is no check of ours.
      const line = source.slice(source.lastIndexOf("\n", at) + 1, source.indexOf("\n", at));
      put(at, at + sign.length, by, `${sign} is ${by}: ${short(line.trim())}`);
    }
  }
  for (const { index, 0: statement } of code.matchAll(/^ *(?:await )?[A-Za-z.]+\(.*\);$/gm)) {
    put(index, index + statement.length, "", `gone: ${short(source.slice(index, index + statement.length).trim())}`);
  }
  return found.sort((one, other) => one.at - other.at).map(({ line, what, text }) => ({ line, what, text }));
}
