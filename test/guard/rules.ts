import { dirname, join, normalize } from "node:path/posix";

/** A file of the tree as the rules see it: its path from the root, and its text. */
export interface Source {
  path: string;
  text: string;
}

/** One import: of a file of ours (its path from the root) or of a package (its name as written). */
export interface Import {
  from: string;
  to: string;
  ours: boolean;
  /** Whether it is gone when the program runs. */
  typeOnly: boolean;
}

const statement = /^\s*(?:import|export)\s+(type\s+)?(?:[\w*{][^;'"]*?\bfrom\s+)?["']([^"']+)["']/gm;
/** Not inside of a text: this very guard's strangers are written in backticks. */
const dynamic = /^[^`\n]*\bimport\(\s*["']([^"']+)["']\s*\)/gm;

/** Text without comments, line for line, so that a word in a comment breaks no rule. */
export const bare = (text: string): string =>
  text
    .replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, " "))
    .replace(/(^|[^:"'`\\])\/\/[^\n]*/g, "$1");

/** Every import of a file, resolved; `import("x")` too. */
export function imports({ path, text }: Source): Import[] {
  const code = bare(text);
  const found: Import[] = [];
  const add = (to: string, typeOnly: boolean): void => {
    if (to.startsWith("#")) found.push({ from: path, to: to.slice(1), ours: true, typeOnly });
    else if (to.startsWith("."))
      found.push({ from: path, to: normalize(join(dirname(path), to)), ours: true, typeOnly });
    else found.push({ from: path, to: to.replace(/^node:/, ""), ours: false, typeOnly });
  };
  for (const [, type, to] of code.matchAll(statement)) add(to ?? "", type !== undefined);
  for (const [, to] of code.matchAll(dynamic)) add(to ?? "", false);
  return found;
}

const tools = new Set(["table", "queue", "kube", "cloud", "pki", "seal"]);
/** `core/x/…` is of room x; a file right in core is of none. */
const room = (path: string): string | undefined => /^core\/([^/]+)\//.exec(path)?.[1];
const isTool = (path: string): boolean => tools.has(room(path) ?? "");
const isRoot = (path: string): boolean => /^core\/[^/]+$/.test(path);
const isNoun = (path: string): boolean => room(path) !== undefined && !isTool(path);

/** Packages that only some folders may know: what is imported, and from where it may be. */
const only: [name: RegExp, where: RegExp][] = [
  [/^sst(\/|$)/, /^functions\/wire\.ts$/],
  [/^@kubernetes\//, /^core\/kube\//],
  [/^@aws-sdk\/.*dynamodb/, /^(core\/table|local|test)\//],
  [/^@aws-sdk\/client-sqs/, /^(core\/queue|local|test)\//],
  [/^@aws-sdk\/client-kms/, /^core\/seal\//],
  [/^@aws-sdk\/client-(ec2|elastic|s3|sts)/, /^core\/cloud\//],
  [/^(hono|@hono)(\/|$)/, /^(functions\/(api|access)|local|test)\//],
];

/** Which top folder may import which; itself always. `cli` may import types of functions, and that is all. */
const folders: Record<string, string[]> = {
  core: [],
  functions: ["core"],
  cli: [],
  local: ["core", "functions"],
  web: [],
  test: ["core", "functions", "cli", "local", "web"],
};
const typesOnly: Record<string, string[]> = { cli: ["functions"], web: ["functions"] };
const top = (path: string): string => path.split("/")[0] ?? "";

/** What is wrong with one import, or undefined. */
export function strange({ from, to, ours, typeOnly }: Import): string | undefined {
  if (!ours) {
    const rule = only.find(([name]) => name.test(to));
    return rule === undefined || rule[1].test(from) ? undefined : `${from} must not know ${to}`;
  }
  const may = folders[top(from)] ?? [];
  if (top(from) !== top(to)) {
    const allowed = may.includes(top(to)) || (typeOnly && (typesOnly[top(from)] ?? []).includes(top(to)));
    return allowed ? undefined : `${from} must not import ${to}: ${top(from)} may not know ${top(to)}`;
  }
  if (top(from) !== "core" || room(from) === room(to)) return undefined;
  if (isRoot(from) && !isRoot(to) && !typeOnly) return `${from} is a root file of core and must import no room: ${to}`;
  if (isTool(from) && !isRoot(to)) return `${from} is in a tool room and may import root files of core only, not ${to}`;
  if (isNoun(from) && isNoun(to) && !/\/(index|home)\.ts$/.test(to)) {
    return `${from} must enter another noun by its index.ts or home.ts, not ${to}`;
  }
  return undefined;
}

/** Every circle of nouns, each once, as `a > b > a`. */
export function circles(all: readonly Import[]): string[] {
  const next = new Map<string, Set<string>>();
  for (const { from, to, ours } of all) {
    const [a, b] = [room(from), room(to)];
    if (ours && a !== undefined && b !== undefined && a !== b && isNoun(from) && isNoun(to)) {
      next.set(a, (next.get(a) ?? new Set()).add(b));
    }
  }
  const found = new Set<string>();
  const walk = (noun: string, way: string[]): void => {
    const at = way.indexOf(noun);
    if (at >= 0) {
      const circle = way.slice(at);
      const first = circle.indexOf([...circle].sort((x, y) => x.localeCompare(y))[0] ?? noun);
      const turned = [...circle.slice(first), ...circle.slice(0, first)];
      found.add([...turned, turned[0]].join(" > "));
      return;
    }
    for (const each of next.get(noun) ?? []) walk(each, [...way, noun]);
  };
  for (const noun of next.keys()) walk(noun, []);
  return [...found];
}

/** Where what spans tenants may be touched: the nouns' home files, the clocks, staff's routes and where all is joined. */
const mayHome =
  /^(core\/[^/]+\/home\.ts|core\/context\.ts|core\/allow\.ts|functions\/(cron\/.*|wire\.ts|deps\.ts|log\.ts)|functions\/[^/]+\/(home|main)\.ts|local\/.*|test\/.*)$/;

/** Lines that touch `.home` of a context where they may not. */
export function homeless({ path, text }: Source): string[] {
  if (mayHome.test(path) || !/^(core|functions)\//.test(path)) return [];
  return lines(
    path,
    text,
    /\b(ctx|work|context)\.home\b|\bhome\s*[,}][^=;]*=\s*(ctx|work|context)\b/,
    "touches what spans tenants",
  );
}

/** Lines of core, tool rooms apart, that take time or chance from the globals. */
export function impure({ path, text }: Source): string[] {
  if (!path.startsWith("core/") || isTool(path)) return [];
  const globals =
    /\bDate\.now\(|\bMath\.random\(|\bnew Date\(\s*\)|\bperformance\.now\(|\bset(Timeout|Interval|Immediate)\(|\brandom(UUID|Bytes)\(/;
  return lines(path, text, globals, "takes time or chance from the globals, not from the context");
}

const lines = (path: string, text: string, pattern: RegExp, why: string): string[] =>
  bare(text)
    .split("\n")
    .flatMap((line, at) => (pattern.test(line) ? [`${path}:${at + 1} ${why}: ${line.trim()}`] : []));

const banned = /(^|\/)(utils?|common|helpers?|lib|shared)(\.[^/]*)?(\/|$)/;

/** Names that say nothing: what is in such a file belongs to a room. */
export const nameless = (path: string): string | undefined =>
  banned.test(path) ? `${path} has a name that says nothing` : undefined;

export const linesMax = 250;

/** @param allowed files that may be longer, with the reason. */
export function long({ path, text }: Source, allowed: Readonly<Record<string, string>>): string | undefined {
  const count = text.trimEnd().split("\n").length;
  return count <= linesMax || path in allowed ? undefined : `${path} has ${count} lines: split it, or say why not`;
}
