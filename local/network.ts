// Network namespaces of the local stack, each joined to the root namespace by one veth pair.
//
// They live in our own run folder and not in /run/netns: the first `ip netns add` on a machine binds /run/netns over
// itself and hides what was mounted there, and from then on the Pods of any containerd that ran before stay Terminating.
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { run, succeeds } from "./command.ts";
import { mounts } from "./mount.ts";
import { block, type Block, digest, type State } from "./state.ts";

export interface Namespace extends Block {
  /** For `nsenter --net=PATH`. Never enter with `ip netns exec`: it remounts /sys and hides the cgroups. */
  path: string;
  /** The root namespace's end of the pair; inside it is `eth0`. */
  link: string;
}

/** Name of a namespace's link: fifteen characters, the most that Linux allows; all of a stack begin alike. */
export const linkName = (state: State, name: string): string => `bth${state.hash}${digest(name).slice(0, 4)}`;

const folder = (state: State): string => join(state.run, "net");

/**
 * Makes a namespace, or finds it as it was: `lo` and `eth0` up, default route to the root namespace, forwarding on inside.
 * No sysctl of the root namespace is touched.
 */
export async function namespace(state: State, name: string): Promise<Namespace> {
  const link = linkName(state, name);
  const path = join(folder(state), name);
  const ends = await block(state, name, link);
  const found = { ...ends, path, link };
  if (await complete(found)) return found;
  await dissolve(state, name);
  mkdirSync(folder(state), { recursive: true });
  writeFileSync(path, "");
  // The namespace stays as long as it is mounted on that file, also without a process in it.
  await run("unshare", [`--net=${path}`, "true"]);
  const ip = (...args: string[]): Promise<string> => run("ip", args);
  const inside = (...args: string[]): Promise<string> => run("nsenter", [`--net=${path}`, "ip", ...args]);
  await ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", path);
  await inside("link", "set", "lo", "up");
  await inside("address", "add", `${ends.inside}/30`, "dev", "eth0");
  await inside("link", "set", "eth0", "up");
  await ip("address", "add", `${ends.outside}/30`, "dev", link);
  await ip("link", "set", link, "up");
  await inside("route", "add", "default", "via", ends.outside);
  await run("nsenter", [`--net=${path}`, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward"]);
  return found;
}

/** Takes a namespace down but keeps its addresses for the next time. */
export async function dissolve(state: State, name: string): Promise<void> {
  const path = join(folder(state), name);
  // The kernel frees a namespace and its links some time later; taking the link ourselves makes it now.
  await succeeds("ip", ["link", "delete", linkName(state, name)]);
  if (mounts(path).length > 0) await run("umount", [path]);
  rmSync(path, { force: true });
}

/** The command line that runs `command` inside a namespace, as the very same process. */
export const enter = (namespace: Namespace, command: readonly [string, ...string[]]): [string, ...string[]] => [
  "nsenter",
  `--net=${namespace.path}`,
  ...command,
];

/** Adds a packet-filter rule inside a namespace unless it is there. */
export async function rule(namespace: Namespace, table: string, chain: string, args: readonly string[]): Promise<void> {
  const iptables = (action: string): [string, ...string[]] =>
    enter(namespace, ["iptables", "-w", "-t", table, action, chain, ...args]);
  const [command, ...check] = iptables("-C");
  if (!(await succeeds(command, check))) await run(command, iptables("-A").slice(1));
}

/** The last step of `namespace` is the route, so one that has it and carries the right address is whole. */
async function complete({ path, link, outside }: Namespace): Promise<boolean> {
  if (mounts(path).length === 0) return false;
  const route = run("nsenter", [
    `--net=${path}`,
    "sh",
    "-c",
    "ip route show default; cat /proc/sys/net/ipv4/ip_forward",
  ]);
  const root = run("ip", ["-4", "-oneline", "address", "show", "dev", link]);
  const [way, ours] = await Promise.all([route.catch(() => ""), root.catch(() => "")]);
  return way.startsWith(`default via ${outside} `) && way.trimEnd().endsWith("\n1") && ours.includes(` ${outside}/30 `);
}
