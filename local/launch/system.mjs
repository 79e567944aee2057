import { accessSync, constants, existsSync, rmSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { must, run, step, Unready } from "./step.mjs";

const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/local/sbin", "/usr/sbin", "/sbin"];

/** Whether a program is there to be run. */
export const has = (name) =>
  folders.some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });

const java = ["openjdk-17-jdk-headless", "default-jdk-headless"];

/** What each part needs: Debian packages (the first that there is), and how to see that it is there already. */
const parts = {
  // The compiler too: a ten-line main of ours binds DynamoDB Local to loopback.
  table: [[java, () => has("java") && has("javac")]],
  host: [
    [["containerd"], () => has("containerd")],
    [["runc"], () => has("runc")],
    [["containernetworking-plugins"], () => existsSync("/usr/lib/cni/bridge")],
    [["iptables"], () => has("iptables")],
    [["conntrack"], () => has("conntrack")],
    [["iproute2"], () => has("ip")],
    [["util-linux"], () => has("nsenter") && has("unshare")],
  ],
};

const policy = "/usr/sbin/policy-rc.d";

/** Installs Debian packages. Their services are not started: they would take ports, and Berth runs its own. */
export async function install(names) {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const ours = !existsSync(policy);
  if (ours) writeFileSync(policy, "#!/bin/sh\nexit 101\n", { mode: 0o755 });
  const get = ["install", "-y", "--no-install-recommends", ...names];
  try {
    if ((await run("apt-get", get, { env })).code === 0) return;
    await must("apt-get", ["update"], { env });
    await must("apt-get", get, { env });
  } finally {
    if (ours) rmSync(policy, { force: true });
  }
}

/** Of names that mean the same, the first that this Debian has; its lists may have to be fetched to know. */
async function choose(names) {
  if (names.length === 1) return names[0];
  for (let round = 0; round < 2; round++) {
    for (const name of names) if ((await run("apt-cache", ["show", name])).code === 0) return name;
    if (round === 0) await run("apt-get", ["update"]);
  }
  return names[names.length - 1];
}

/**
 * Installs what is missing of the parts named.
 * @throws Unready with the command to type, where we may not or cannot.
 */
export async function system(...wanted) {
  const missing = wanted.flatMap((part) => parts[part]).filter(([, there]) => !there());
  if (missing.length === 0) return;
  const named = missing.map(([names]) => names[0]);
  if (process.platform !== "linux")
    throw new Unready(`Berth runs locally on Linux. Missing here: ${named.join(", ")}.`);
  if (!has("apt-get")) throw new Unready(`Install with this system's own tools (Debian's names): ${named.join(" ")}`);
  if (process.getuid() !== 0) {
    throw new Unready(`Some programs are missing. Run this as root once:\n  apt-get install -y ${named.join(" ")}`);
  }
  await step(`system packages installed: ${named.join(" ")}`, async () =>
    install(await Promise.all(missing.map(([names]) => choose(names)))),
  );
}
