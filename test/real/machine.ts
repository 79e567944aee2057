// What a stack may leave behind on the machine, and what it must not have changed there.
import { existsSync, lstatSync, readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import type { State } from "../../local/state.ts";
import { must } from "./stack.ts";

const sysctls = [
  "net/ipv4/ip_forward",
  "net/ipv4/conf/all",
  "net/ipv4/conf/default",
  "net/ipv6/conf/all",
  "net/bridge",
  "net/netfilter/nf_conntrack_max",
  "net/netfilter/nf_conntrack_tcp_timeout_established",
  "fs/inotify",
  "vm/overcommit_memory",
  "vm/panic_on_oom",
  "kernel/panic",
  "kernel/panic_on_oops",
  "kernel/keys",
];

/** Kernel settings and packet filter of the root namespace, as lines. */
export async function machine(): Promise<string[]> {
  const env = { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` };
  const filters = await Promise.all(["iptables-save", "ip6tables-save"].map((command) => must(command, [], { env })));
  // Counters and the time of the listing tell nothing.
  const rules = filters.flatMap((text) => text.split("\n").filter((line) => line !== "" && !line.startsWith("#")));
  return [...sysctls.flatMap(settings), ...rules.map((line) => line.replace(/\[\d+:\d+\]/, ""))];
}

function settings(name: string): string[] {
  const path = join("/proc/sys", name);
  if (!existsSync(path)) return [];
  if (statSync(path).isDirectory()) return list(path).flatMap((each) => settings(join(name, each)));
  try {
    return [`${name} = ${readFileSync(path, "utf8").trim()}`];
  } catch {
    return []; // Some can only be written.
  }
}

/** All that still bears a stack's name outside of its state folder. */
export async function leftovers({ root, run, hash, cgroup }: State): Promise<string[]> {
  const env = { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin` };
  const links = JSON.parse(await must("ip", ["-json", "link"], { env })) as { ifname: string }[];
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  const groups = ["", ...list("/sys/fs/cgroup")].map((each) => join("/sys/fs/cgroup", each, cgroup));
  const logs = list("/var/log/containers").map((each) => join("/var/log/containers", each));
  return [
    ...list("/proc").filter((each) => /^\d+$/.test(each) && marked(each, hash, root)),
    ...mounts.filter((line) => line.includes(run) || line.includes(root)),
    ...links.map(({ ifname }) => ifname).filter((name) => name.startsWith(`bth${hash}`)),
    ...[run, ...groups].filter((path) => existsSync(path)),
    ...list("/var/lib/cni/results").filter((each) => each.includes(hash)),
    ...logs.filter((each) => lstatSync(each).isSymbolicLink() && readlinkSync(each).startsWith(root)),
  ];
}

/** A process of the stack: by the mark in its environment, or by a path in its command line. */
function marked(pid: string, hash: string, root: string): boolean {
  try {
    const [environment = "", line = ""] = ["environ", "cmdline"].map((file) =>
      readFileSync(`/proc/${pid}/${file}`, "utf8"),
    );
    return environment.split("\0").some((each) => each.startsWith(`BERTH_CHILD=${hash}/`)) || line.includes(`${root}/`);
  } catch {
    return false; // It ended while we looked.
  }
}

const list = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder) : []);
