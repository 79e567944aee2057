// One real stack in a folder of its own, beside whatever else runs on this machine.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { chownSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { vi } from "vitest";
import { openQueue } from "#core/queue/index.ts";
import { pid } from "../../local/process.ts";
import { type Home, home as homeOf, paths } from "../../local/settings.ts";
import { type State, state as where } from "../../local/state.ts";

const root = join(import.meta.dirname, "..", "..");

export interface Ended {
  code: number;
  out: string;
  err: string;
}

export interface RunOptions {
  env?: NodeJS.ProcessEnv;
  cwd?: string;
}

/** Runs a program to its end; how it ended is for the caller to judge. Its environment is `env` and nothing else. */
export function run(
  command: string,
  args: readonly string[],
  { env = {}, cwd = "/" }: RunOptions = {},
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env, cwd, stdio: ["ignore", "pipe", "pipe"], timeout: 400_000 });
    const [out, err] = [child.stdout, child.stderr].map((stream) => {
      const parts: Buffer[] = [];
      stream.on("data", (part: Buffer) => parts.push(part));
      return () => Buffer.concat(parts).toString();
    }) as [() => string, () => string];
    child.once("error", reject);
    child.once("close", (code) => resolve({ code: code ?? 1, out: out(), err: err() }));
  });
}

/** Output of a program that must end well. @throws Error with all it said. */
export async function must(command: string, args: readonly string[], options?: RunOptions): Promise<string> {
  const { code, out, err } = await run(command, args, options);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")} ended with ${code}:\n${out}\n${err}`);
  return out;
}

export interface Cluster {
  id: string;
  name: string;
  status: { phase: string; endpoint: string; authority: string; conditions: { type: string; status: string }[] };
}

/** A Kubernetes object, read as far as these tests do. */
export interface Thing {
  metadata: { name: string; uid: string; labels?: Record<string, string>; deletionTimestamp?: string };
  spec: unknown;
  status: unknown;
}

const nobody = 65_534;

/**
 * The words before a command that make it run as nobody, who sees this checkout at `shown`, wherever it lies: a mount
 * that no other process sees.
 */
const asNobody = (shown: string): string[] => {
  const user = `--reuid ${nobody} --regid ${nobody} --clear-groups`;
  const enter = `mount --bind "$1" "$2" && shift 2 && exec setpriv ${user} "$@"`;
  return ["unshare", "--mount", "--propagation", "private", "sh", "-c", enter, "sh", root, shown];
};

export class Stack {
  readonly state: State;
  /** A home folder for commands of people, with what they keep there. */
  readonly people: string;
  private readonly folder: string;
  private readonly checkout: string;
  private readonly as: readonly string[];

  /** @param rootless all of it runs as nobody. */
  constructor({ rootless = false } = {}) {
    // Short, for sockets lie below it, and outside of the work tree.
    this.folder = `/tmp/berth-real-${randomBytes(4).toString("hex")}`;
    this.state = where(join(this.folder, "state"));
    this.people = join(this.folder, "people");
    this.checkout = rootless ? join(this.folder, "checkout") : root;
    this.as = rootless ? asNobody(this.checkout) : [];
  }

  /** Makes its folders; until then it is but a name. */
  open(): void {
    mkdirSync(this.people, { recursive: true });
    if (this.as.length === 0) return;
    mkdirSync(this.checkout);
    for (const each of [this.folder, this.people]) chownSync(each, nobody, nobody);
  }

  get home(): Home {
    return homeOf(this.state);
  }

  get url(): string {
    return `http://127.0.0.1:${this.home.ports.api}`;
  }

  /** `npm start -- …`, or with `down` first `npm run down -- …`, by the very file that npm runs. */
  start(...args: string[]): Promise<Ended> {
    const own = this.as.length > 0 ? { HOME: this.people } : {};
    const env = { ...process.env, ...own, BERTH_STATE: this.state.root, BERTH_CLOCK_SECONDS: "5" };
    return this.run(process.execPath, [join(this.checkout, "local", "start.mjs"), ...args], env);
  }

  /** Like `start`, and it must go well. */
  async up(...args: string[]): Promise<string> {
    const { code, out, err } = await this.start(...args);
    if (code !== 0) throw new Error(`npm start ${args.join(" ")} ended with ${code}:\n${out}\n${err}`);
    return out;
  }

  /** The `berth` command, signed in to this stack. */
  berth(args: readonly string[], env: Record<string, string> = {}): Promise<Ended> {
    const known = { PATH: process.env["PATH"] ?? "", HOME: this.people, BERTH_CONFIG: paths(this.state).cli };
    return this.run(join(this.checkout, "bin", "berth"), args, { ...known, ...env });
  }

  private run(program: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Ended> {
    const shown = program.startsWith(`${root}/`) ? this.checkout + program.slice(root.length) : program;
    const [command, ...rest] = [...this.as, shown, ...args] as [string];
    return run(command, rest, { env, cwd: this.people });
  }

  /** What a `berth … -o json` that must go well printed. */
  async json<T = Cluster>(...args: string[]): Promise<T> {
    const { code, out, err } = await this.berth([...args, "-o", "json"]);
    if (code !== 0) throw new Error(`berth ${args.join(" ")} ended with ${code}:\n${out}\n${err}`);
    return JSON.parse(out) as T;
  }

  /** Writes a kubeconfig of a cluster, and says where. */
  async kubeconfig(name: string, ...more: string[]): Promise<string> {
    const file = join(this.people, `${name}${more.join("")}.kubeconfig`);
    await this.json("cluster", "kubeconfig", name, "-f", file, ...more);
    return file;
  }

  get kubectlPath(): string {
    const told = JSON.parse(readFileSync(paths(this.state).host, "utf8")) as { kubectl: string };
    return told.kubectl;
  }

  get hostKubeconfig(): string {
    return join(this.state.root, "pki", "admin.kubeconfig");
  }

  /** kubectl with a kubeconfig, from another folder and without any PATH, as some tool may start it. */
  kubectl(kubeconfig: string, ...args: string[]): Promise<Ended> {
    return run(this.kubectlPath, ["--kubeconfig", kubeconfig, ...args], {
      env: { HOME: this.people },
      cwd: this.people,
    });
  }

  /** Output of kubectl on the host, as its administrator. */
  async host(...args: string[]): Promise<string> {
    return must(this.kubectlPath, ["--kubeconfig", this.hostKubeconfig, ...args], { env: { HOME: this.people } });
  }

  async things(...args: string[]): Promise<Thing[]> {
    return (JSON.parse(await this.host("get", ...args, "-o", "json")) as { items: Thing[] }).items;
  }

  /** A request to the public API with the tenant's token. */
  async api<T>(method: string, path: string, body?: object): Promise<T> {
    const answer = await fetch(this.url + path, {
      method,
      headers: {
        Authorization: `Bearer ${readFileSync(paths(this.state).token, "utf8").trim()}`,
        "Content-Type": "application/json",
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return JSON.parse(text) as T;
  }

  /** The hint that a watcher on the host would give. */
  async poke(cluster: string): Promise<void> {
    const { tenant } = await this.api<{ tenant: { id: never } }>("GET", "/v1/me");
    const endpoint = `http://127.0.0.1:${this.home.ports.queue}`;
    const url = (name: string): string => `${endpoint}/000000000000/${name}`;
    const log = {
      warn: (line: string): void => {
        throw new Error(line);
      },
    };
    const credentials = { accessKeyId: "local", secretAccessKey: "local" };
    const queue = openQueue({
      url: url("berth"),
      deadURL: url("berth-dead"),
      region: "us-east-1",
      endpoint,
      credentials,
      log,
    });
    await queue.poke(tenant.id, cluster as never);
    queue.close();
  }

  /** Ends the home process by a signal, and waits until it is gone. */
  async endHome(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    const found = pid(this.state, "home");
    if (found === undefined) throw new Error("home does not run");
    process.kill(found, signal);
    await vi.waitUntil(() => pid(this.state, "home") === undefined, { timeout: 10_000 });
  }

  /** Ends it and deletes all it had, whatever state it is in. */
  async remove(): Promise<Ended> {
    const ended = await this.start("down", "--erase");
    if (ended.code === 0) rmSync(this.folder, { recursive: true, force: true });
    return ended;
  }
}
