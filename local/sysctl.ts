// Every kubelet sets a few sysctls of the whole machine; the last stack to go puts them back.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { read, type State, save } from "./state.ts";

/** What kubelet sets, below /proc/sys: `setupKernelTunables` in pkg/kubelet/cm. */
const names = [
  "vm/overcommit_memory",
  "vm/panic_on_oom",
  "kernel/panic",
  "kernel/panic_on_oops",
  "kernel/keys/root_maxkeys",
  "kernel/keys/root_maxbytes",
];

const file = (run: string): string => join(run, "sysctls.json");

/** Remembers them as they were before the first kubelet of any stack here. Call it before a kubelet starts. */
export function rememberSysctls(state: State): void {
  if (existsSync(file(state.run))) return;
  const now = Object.fromEntries(names.map((name) => [name, readFileSync(join("/proc/sys", name), "utf8").trim()]));
  // What we see now may be what another stack's kubelet has made of it; that stack knows what was before.
  save(file(state.run), others(state)[0] ?? JSON.stringify(now));
}

/** Puts them back, unless another stack still runs here. */
export function restoreSysctls(state: State): void {
  const text = read(file(state.run));
  if (text === undefined || others(state).length > 0) return;
  for (const [name, value] of Object.entries(JSON.parse(text) as Record<string, string>)) {
    const path = join("/proc/sys", name);
    if (readFileSync(path, "utf8").trim() !== value) writeFileSync(path, value);
  }
}

/** What other stacks remember. */
const others = ({ run }: State): string[] =>
  readdirSync(dirname(run))
    .map((entry) => join(dirname(run), entry))
    .filter((path) => path.startsWith(join(dirname(run), "berth-")) && path !== run)
    .flatMap((path) => read(file(path)) ?? []);
