// The cloud of sst.config.ts without a cloud: SST's own components, brought by `sst install`, under Pulumi's mocks.
import { build } from "esbuild";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  cpSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { cache } from "../../local/build.ts";
import { run } from "../../local/command.ts";
import { locked } from "../../local/lock.ts";
import { digest } from "../../local/state.ts";

export const root = join(import.meta.dirname, "..", "..");
const bin = join(root, "node_modules", ".bin");

const Graph = z.object({
  app: z.record(z.string(), z.unknown()),
  resources: z.array(z.object({ type: z.string(), name: z.string(), inputs: z.record(z.string(), z.unknown()) })),
  builds: z.array(
    z.object({
      functionID: z.string(),
      handler: z.string(),
      links: z.record(z.string(), z.record(z.string(), z.unknown())),
      properties: z.record(z.string(), z.unknown()),
    }),
  ),
  failures: z.array(z.string()),
});
/** Every resource that a deployment would make, with what it is asked to be, and every function that would be built. */
export type Graph = z.output<typeof Graph>;

/** The least that `sst install` takes: which platform comes depends on SST's version alone. */
const stub = `export default $config({ app: () => ({ name: "berth", home: "aws" }), async run() {} });\n`;
const environment = { SST_SKIP_DEPENDENCY_CHECK: "1", NO_BUN: "1", SST_TELEMETRY_DISABLED: "1" };

/** The folder with SST's platform, kept between runs; the first one takes about 40 s and 320 MB. */
async function platform(): Promise<string> {
  const { version } = JSON.parse(readFileSync(join(root, "node_modules", "sst", "package.json"), "utf8")) as {
    version: string;
  };
  const folder = join(cache(), `sst-${digest([version, stub].join("\0")).slice(0, 16)}`);
  const install = async (): Promise<string> => {
    if (existsSync(folder)) return folder;
    mkdirSync(cache(), { recursive: true });
    const temporary = mkdtempSync(`${folder}.new-`);
    try {
      writeFileSync(join(temporary, "package.json"), '{ "name": "berth", "private": true, "type": "module" }\n');
      writeFileSync(join(temporary, "sst.config.ts"), stub);
      const env = { ...process.env, ...environment };
      await run(join(bin, "sst"), ["install", "--stage", "test"], { cwd: temporary, env });
      renameSync(temporary, folder);
    } finally {
      rmSync(temporary, { recursive: true, force: true });
    }
    return folder;
  };
  return existsSync(folder) ? folder : await locked(`${folder}.lock`, install, () => undefined);
}

/** A folder with sst.config.ts beside the platform, as a deployment has it. */
export async function open() {
  const brought = await platform();
  const folder = mkdtempSync(join(tmpdir(), "berth-cloud-"));
  copyFileSync(join(root, "sst.config.ts"), join(folder, "sst.config.ts"));
  symlinkSync(join(brought, ".sst"), join(folder, ".sst"));
  symlinkSync(join(brought, ".sst", "platform", "node_modules"), join(folder, "node_modules"));
  cpSync(join(root, "web"), join(folder, "web"), { recursive: true });
  return {
    /** @throws Error with the compiler's words. */
    async check(): Promise<void> {
      // SST's own sources are checked along, and stand no stricter flags than these.
      const compilerOptions = {
        module: "esnext",
        target: "es2024",
        lib: ["es2024"],
        moduleResolution: "bundler",
        noEmit: true,
        strict: true,
        skipLibCheck: true,
        types: ["node"],
        typeRoots: [join(root, "node_modules", "@types")],
      };
      writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, files: ["sst.config.ts"] }));
      await run(join(bin, "tsc"), ["-p", folder], { cwd: folder });
    },
    /** @param env what the operator has set. */
    async graph(stage: string, env: Record<string, string> = {}): Promise<Graph> {
      const outfile = join(folder, "graph.mjs");
      const source = join(brought, ".sst", "platform");
      await build({
        entryPoints: [join(import.meta.dirname, "mocks.mjs")],
        outfile,
        bundle: true,
        logLevel: "error",
        format: "esm",
        platform: "node",
        target: "node24",
        packages: "external",
        alias: { platform: source, config: join(folder, "sst.config.ts") },
        banner: { js: `const __dirname = import.meta.dirname;` },
      });
      const text = await run(process.execPath, [outfile, stage, join(folder, stage)], {
        cwd: folder,
        env: { ...process.env, ...env },
      });
      return Graph.parse(JSON.parse(text.slice(text.indexOf("{"))));
    },
    close: () => rmSync(folder, { recursive: true, force: true }),
  };
}
