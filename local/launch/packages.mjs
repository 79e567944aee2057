import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { must, step } from "./step.mjs";

export const root = fileURLToPath(new URL("../..", import.meta.url)).replace(/\/$/, "");
const stamp = join(root, "node_modules", ".berth-stamp");

const read = (path) => (existsSync(path) ? readFileSync(path, "utf8") : "");

/** Whether what is installed is what the lockfile says, as npm's own record of the installation has it. */
function installed(lock) {
  const record = read(join(root, "node_modules", ".package-lock.json"));
  if (record === "") return false;
  const have = JSON.parse(record).packages;
  return Object.entries(JSON.parse(lock).packages).every(
    ([path, { version, optional }]) =>
      path === "" || (have[path] === undefined ? optional === true : have[path].version === version),
  );
}

/** Installs the packages when the lockfile is another than the one that was installed. */
export async function packages() {
  const lock = readFileSync(join(root, "package-lock.json"), "utf8");
  const now = createHash("sha256").update(lock).digest("hex");
  if (read(stamp) === now) return;
  if (!installed(lock)) {
    await step("packages installed (npm ci)", () => must("npm", ["ci", "--no-audit", "--no-fund"], { cwd: root }));
  }
  writeFileSync(stamp, now);
}

/** Our own Node, which came with the packages; on systems it is not made for, the one that runs this. */
export function node() {
  const own = join(root, "node_modules", `node-linux-${process.arch}`, "bin", "node");
  return process.platform === "linux" && existsSync(own) ? own : process.execPath;
}

/** The environment of what we start: our Node and our packages' commands first, then `more`, then the rest. */
export const environment = (...more) => ({
  ...process.env,
  PATH: [join(root, "node_modules", ".bin"), ...more, process.env.PATH ?? ""]
    .filter((each) => each !== "")
    .join(delimiter),
});
