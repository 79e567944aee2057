// All of Berth on this machine: `npm start` brings it up or finds it up, `npm run down` ends it.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { cache } from "./build.ts";
import { register, type Wish } from "./enrol.ts";
import { down, erase, up } from "./host/index.ts";
import { start, stop, tail, until } from "./process.ts";
import { apiURL, home, paths, settle, tableURL } from "./settings.ts";
import { keep, type State, save, state as where } from "./state.ts";
import { ready, tableCommand } from "./table.ts";
import { addVersion } from "./version.ts";

const usage = `Berth on one machine.

  npm start                 bring it up, or find it up, with a first cluster
  npm run down              end it; clusters and data stay for the next start
  npm run down -- --erase   end it and delete all it kept

  npx berth version add V   build Kubernetes V for its host, and offer it (--dry-run: only say what would be done)

Options of start
  --port N                  the API on 127.0.0.1:N (its table and queue on the next two)
  --no-cluster              make no first cluster
  --host-kubeconfig PATH    use this Kubernetes as the host; needs no root, Go or containerd. With it:
    --host-images PREFIX      where it pulls kube-apiserver, kube-controller-manager, kube-scheduler and etcd from
    --host-address ADDRESS    where its node ports are reached (the host of its API server)
    --host-ports FROM-TO      node ports for clusters (30000-32767)
    --host-storage-class NAME (standard)
    --host-version VERSION    Kubernetes to offer, may be repeated (1.34.4)
    --host-service-cidr CIDR, --host-pod-cidr CIDR   its own ranges (10.96.0.0/12, 10.244.0.0/16)
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    help: { type: "boolean", short: "h" },
    erase: { type: "boolean" },
    "dry-run": { type: "boolean" },
    port: { type: "string" },
    "no-cluster": { type: "boolean" },
    "host-kubeconfig": { type: "string" },
    "host-images": { type: "string" },
    "host-address": { type: "string" },
    "host-ports": { type: "string" },
    "host-storage-class": { type: "string" },
    "host-version": { type: "string", multiple: true },
    "host-service-cidr": { type: "string", multiple: true },
    "host-pod-cidr": { type: "string", multiple: true },
  },
});

const began = performance.now();
const say = (line: string): void =>
  console.log(`${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s  ${line}`);
const root = join(import.meta.dirname, "..");
const berth = join(root, "bin", "berth");
const firstCluster = "first";

async function bringUp(state: State): Promise<void> {
  const port = values.port === undefined ? undefined : Number(values.port);
  if (port !== undefined && !(Number.isInteger(port) && port >= 1024 && port <= 65_530)) {
    throw new Error(`--port must be a number from 1024 to 65530, not ${values.port}`);
  }
  const own = values["host-kubeconfig"] === undefined;
  const wish = own ? undefined : wished();
  keep(state);
  const files = paths(state);
  const known = await settle(state, port);
  const table = (async () => {
    const { command, env } = await tableCommand({ data: files.table, port: known.ports.table, cache: cache() });
    await start(state, { name: "table", command, env });
    // Where home runs already, nobody else waits for a table that had died.
    await ready(tableURL(known));
    say(`table on ${tableURL(known)}`);
  })();
  const hosted = own ? up({ path: state.root }, say) : undefined;
  const [, host] = await Promise.all([table, hosted]);
  if (host !== undefined) {
    save(files.host, `${JSON.stringify(host, null, 2)}\n`);
    say(`host ready: Kubernetes ${host.versions[0]} at ${host.server}`);
  }
  const env = { BERTH_STATE: state.root, ...clockOf() };
  await start(state, { name: "home", command: [process.execPath, join(root, "local", "home.ts")], env });
  const healthy = () =>
    fetch(`${apiURL(known)}/v1/health`).then(
      (answer) => answer.ok,
      () => false,
    );
  await until(state, "the API", healthy, { programs: ["home", "table"], seconds: 60 });
  say(`API on ${apiURL(known)}`);
  await register(apiURL(known), files, wish ?? host);
  save(files.cli, `${JSON.stringify({ server: apiURL(known), tokenFile: files.token }, null, 2)}\n`);
  say("tenant and host registered");
  const kubectl = host?.kubectl ?? "kubectl";
  if (values["no-cluster"] !== true) await first(state, kubectl);
  tell(state, kubectl);
}

/** A host of the user's own, as the flags tell. */
function wished(): Wish {
  const path = values["host-kubeconfig"] ?? "";
  if (!existsSync(path)) throw new Error(`--host-kubeconfig: there is no file ${path}`);
  const imagePrefix = values["host-images"];
  if (imagePrefix === undefined)
    throw new Error("--host-images is needed with --host-kubeconfig: where the host pulls images from");
  const [from = 30_000, to = 32_767] = (values["host-ports"] ?? "30000-32767").split("-").map(Number);
  return {
    kubeconfig: path,
    address: values["host-address"],
    imagePrefix,
    portRange: [from, to],
    storageClass: values["host-storage-class"] ?? "standard",
    versions: values["host-version"] ?? ["1.34.4"],
    serviceCIDRs: values["host-service-cidr"] ?? ["10.96.0.0/12"],
    podCIDRs: values["host-pod-cidr"] ?? ["10.244.0.0/16"],
  };
}

const clockOf = (): Record<string, string> => {
  const seconds = process.env["BERTH_CLOCK_SECONDS"];
  return seconds === undefined ? {} : { BERTH_CLOCK_SECONDS: seconds };
};

/** A first cluster through the public API, and a first kubectl with a credential that Berth issued. */
async function first(state: State, kubectl: string): Promise<void> {
  const kubeconfig = paths(state).kubeconfig(firstCluster);
  if ((await command(state, berth, ["cluster", "get", firstCluster, "-o", "json"], "quiet")) === 0) {
    say(`cluster ${firstCluster} is there already`);
  } else {
    await must(state, berth, ["cluster", "create", firstCluster]);
  }
  await must(state, berth, ["cluster", "get", firstCluster, "--wait"]);
  await must(state, berth, ["cluster", "kubeconfig", firstCluster, "-f", kubeconfig]);
  // After a restart the row still says what was true before it; its API server needs its seconds like everything else.
  const answers = ["--kubeconfig", kubeconfig, "get", "--raw=/readyz"];
  await until(state, `cluster ${firstCluster}`, async () => (await command(state, kubectl, answers, "quiet")) === 0, {
    seconds: 120,
  });
  console.log(`\n$ ${kubectl} --kubeconfig ${kubeconfig} get namespaces`);
  await must(state, kubectl, ["--kubeconfig", kubeconfig, "get", "namespaces"]);
}

function command(state: State, program: string, args: string[], output: "quiet" | "shown" = "shown"): Promise<number> {
  return new Promise((resolve, reject) => {
    const stdio = output === "quiet" ? "ignore" : "inherit";
    // The stack's own token, whoever is signed in elsewhere.
    // And what it keeps of credentials goes with the stack.
    const own = { BERTH_STATE: state.root, BERTH_CONFIG: paths(state).cli, BERTH_CACHE: join(state.root, "cache") };
    const env = { ...process.env, ...own };
    spawn(program, args, { stdio, env })
      .once("error", reject)
      .once("close", (code) => resolve(code ?? 1));
  });
}

async function must(state: State, program: string, args: string[]): Promise<void> {
  const code = await command(state, program, args);
  if (code !== 0) throw new Error(`${program.split("/").at(-1)} ${args.join(" ")} ended with ${code}`);
}

function tell(state: State, kubectl: string): void {
  const files = paths(state);
  const { ports } = home(state);
  console.log(`
Berth is up.
  API        http://127.0.0.1:${ports.api}/v1   (its description: /v1/openapi.json)
  token      ${files.token}   (platform staff: ${files.staffToken})
  logs       ${join(state.root, "logs")}
  kubectl    ${kubectl}

Next
  npx berth cluster create red --wait
  npx berth cluster kubeconfig red --merge
  npx berth cluster delete red --wait
  npm run down
`);
}

async function bringDown(state: State): Promise<void> {
  await stop(state, "home", 5_000);
  await stop(state, "table", 5_000);
  await down(state.root);
  if (values.erase === true) await erase(state.root);
  say(
    values.erase === true
      ? "Berth is down, and all it kept is deleted"
      : "Berth is down; what it kept is in the state folder",
  );
}

try {
  const [verb = "start"] = positionals;
  const state = where();
  if (values.help === true) console.log(usage);
  else if (verb === "start" || verb === "up") await bringUp(state);
  else if (verb === "down") await bringDown(state);
  else if (verb === "version" && positionals[1] === "add" && positionals[2] !== undefined) {
    await addVersion(state, positionals[2], { dryRun: values["dry-run"] === true }, say);
  } else throw new Error(`there is no ${verb} here\n\n${usage}`);
} catch (error) {
  const state = where();
  const message = error instanceof Error ? error.message : String(error);
  console.error(`\n${message}`);
  if (message.startsWith("home died") || message.includes("in vain")) console.error(tail(state, "home"));
  if (positionals[0] !== "version")
    console.error("\nWhat is up stays up. `npm start` goes on from here; `npm run down` ends it.");
  process.exitCode = 1;
}
