import { build, type Metafile, type Plugin } from "esbuild";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../local/command.ts";
import { type Figure, median } from "./figures.ts";

const root = join(import.meta.dirname, "..", "..");
const handlers = ["api", "access", "queue"].map((name) => `functions/${name}/handler.ts`);
const clocks = ["sweep", "lap", "round", "digest"].map((name) => `functions/cron/${name}.ts`);
const samples = 5;
/** What no function loads at once, and the API not at all before a route asks. */
const strangers = ["@kubernetes/client-node", "undici", "@peculiar/x509", "reflect-metadata", "yaml"];

/** The smallest settings that parse: importing must ask nobody. */
const settings = JSON.stringify({
  homeTenant: "tnt_00000000000000000000000000",
  url: "https://berth.internal",
  region: "local",
  table: { name: "berth" },
  queue: { url: "http://127.0.0.1:1/0/jobs", deadURL: "http://127.0.0.1:1/0/dead" },
  key: { kms: "key" },
});

export interface Bundle {
  handler: string;
  /** The entry with all that it imports at once, in kB of 1,000 bytes. */
  kB: number;
  /** With what is loaded at first need. */
  allKB: number;
  /** Packages that are loaded at once, largest first, in kB. */
  packages: Record<string, number>;
}

/** One function as sst.config.ts has SST build it: minified ESM in parts, AWS's clients inside. */
export async function bundle(handler: string, outdir: string): Promise<Bundle> {
  const file = join(root, "functions", "bundle.mjs");
  const { default: plugins } = (await import(file)) as { default: Plugin[] };
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [handler],
    outdir,
    bundle: true,
    minify: true,
    splitting: true,
    plugins,
    format: "esm",
    platform: "node",
    target: "node24",
    mainFields: ["module", "main"],
    metafile: true,
    outExtension: { ".js": ".mjs" },
    logLevel: "silent",
    keepNames: false,
    // What is CommonJS in it asks for these, as in SST's own banner.
    banner: {
      js: `import { createRequire as berthRequire } from "node:module";const require=berthRequire(import.meta.url);`,
    },
  });
  const { outputs } = metafile;
  const entry = Object.keys(outputs).find((name) => outputs[name]?.entryPoint === handler) ?? "";
  const once = reach(outputs, entry);
  const kilo = (names: Iterable<string>): number =>
    [...names].reduce((sum, name) => sum + (outputs[name]?.bytes ?? 0), 0) / 1000;
  const packages: Record<string, number> = {};
  for (const name of once) {
    for (const [input, { bytesInOutput }] of Object.entries(outputs[name]?.inputs ?? {})) {
      const found = /node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*node_modules)/.exec(input)?.[1] ?? "ours";
      if (bytesInOutput > 0) packages[found] = (packages[found] ?? 0) + bytesInOutput / 1000;
    }
  }
  return { handler, kB: kilo(once), allKB: kilo(Object.keys(outputs)), packages };
}

/** An output with all that it imports before it runs. */
function reach(outputs: Metafile["outputs"], entry: string, seen = new Set<string>()): Set<string> {
  if (seen.has(entry)) return seen;
  seen.add(entry);
  for (const { path, kind, external } of outputs[entry]?.imports ?? [])
    if (kind !== "dynamic-import" && external !== true) reach(outputs, path, seen);
  return seen;
}

/** Milliseconds from before a handler's import to after it, in a process of its own. */
async function importing(file: string): Promise<number> {
  // Lambda's own runtime gives this name to streaming handlers.
  const code = `globalThis.awslambda={streamifyResponse:(f)=>f};const s=performance.now();
    const {main}=await import(${JSON.stringify(file)});if(typeof main!=="function")throw new Error("no main");
    process.stdout.write(String(performance.now()-s));process.exit(0)`;
  const env = { PATH: process.env["PATH"] ?? "", BERTH_SETTINGS: settings };
  return Number(await run(process.execPath, ["--input-type=module", "-e", code], { env }));
}

/** How much each function loads before its first request, and how long that takes. */
export async function measure(tell: (line: string) => void): Promise<Figure> {
  const folder = mkdtempSync(join(tmpdir(), "berth-bundle-"));
  try {
    // What stays outside of a bundle (optional parts that nobody has) is not found; what is found is ours.
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
    const figure: Figure = { name: "bundle", value: 0, unit: "kB", samples: {}, notes: [] };
    for (const handler of [...handlers, ...clocks]) {
      const outdir = join(folder, handler.replaceAll("/", "-"));
      const { kB, allKB, packages } = await bundle(handler, outdir);
      const file = join(outdir, handler.split("/").at(-1)?.replace(/\.ts$/, ".mjs") ?? "");
      const times: number[] = [];
      for (let i = 0; i < samples; i += 1) times.push(await importing(file));
      figure.samples[`${handler}: import, ms`] = times;
      const largest = Object.entries(packages).sort(([, a], [, b]) => b - a);
      const told = `${handler}: ${kB.toFixed(0)} kB at once, ${allKB.toFixed(0)} kB in all, import ${median(times).toFixed(0)} ms`;
      tell(told);
      figure.notes.push(told);
      figure.notes.push(
        `  ${largest
          .slice(0, 8)
          .map(([name, size]) => `${name} ${size.toFixed(0)}`)
          .join(", ")}`,
      );
      const found = strangers.filter(
        (name) => name in packages && (name.startsWith("@kube") || handler === handlers[0]),
      );
      if (found.length > 0) throw new Error(`${handler} loads ${found.join(", ")} before anyone asks`);
      if (handler === handlers[0]) figure.value = kB;
    }
    return figure;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
