import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, statSync, writeFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { clusterID, launcher, problem, stub, type Routes } from "./stub.ts";

const tokenPath = `/v1/kube/clusters/${clusterID}/token`;
const plugin = ["credential", "--cluster", clusterID];
let serial = 0;

/** Issues a token that lives `seconds`, of which `ago` have passed, after `delay` ms. */
const issues = (seconds: number, delay = 0): Routes => ({
  [`POST ${tokenPath}`]: async () => {
    await new Promise((resolve) => setTimeout(resolve, delay));
    const expiresAt = new Date(Date.now() + seconds * 1000).toISOString();
    return { body: { token: `token-${++serial}`, expiresAt } };
  },
});

const kubeconfig = (command: string): string => `apiVersion: v1
kind: Config
current-context: red
clusters:
  - name: red
    cluster:
      server: https://127.0.0.1:30000
      certificate-authority-data: LQ==
users:
  - name: red
    user:
      exec:
        apiVersion: client.authentication.k8s.io/v1
        command: ${command}
        args: [credential, --cluster, ${clusterID}]
        env: []
        interactiveMode: Never
contexts:
  - name: red
    context: { cluster: red, user: red }
`;
const gives: Routes = {
  [`GET /v1/clusters/${clusterID}/kubeconfig`]: ({ query }) => ({
    text: kubeconfig(query.get("command") ?? ""),
    headers: { "content-type": "application/yaml" },
  }),
};

test("the plugin prints an ExecCredential and nothing else, and asks once for what it can keep", async () => {
  const api = await stub(issues(3600));
  const first = await api.run(plugin);
  const second = await api.run(plugin);
  expect([first.code, first.err, second.out]).toEqual([0, "", first.out]);
  expect(JSON.parse(first.out)).toEqual({
    apiVersion: "client.authentication.k8s.io/v1",
    kind: "ExecCredential",
    status: { token: expect.stringMatching(/^token-/), expirationTimestamp: expect.stringMatching(/Z$/) },
  });
  expect(api.calls).toHaveLength(1);
  const folder = join(api.home, ".cache", "berth", "credentials");
  const files = readdirSync(folder);
  expect(files).toHaveLength(1);
  expect(statSync(join(folder, files[0] ?? "")).mode & 0o777).toBe(0o600);
});

test("a credential past 80 % of its life is fetched anew, and so is a spoilt file's", async () => {
  const api = await stub(issues(3600));
  await api.run(plugin);
  const folder = join(api.home, ".cache", "berth", "credentials");
  const file = join(folder, readdirSync(folder)[0] ?? "");
  const kept = JSON.parse(readFileSync(file, "utf8")) as { issuedAt: string; expiresAt: string };
  const age = (share: number): void => {
    const issuedAt = new Date(Date.now() - share * 3_600_000).toISOString();
    const expiresAt = new Date(Date.parse(issuedAt) + 3_600_000).toISOString();
    writeFileSync(file, JSON.stringify({ ...kept, issuedAt, expiresAt }));
  };
  age(0.79);
  await api.run(plugin);
  expect(api.calls).toHaveLength(1);
  age(0.81);
  await api.run(plugin);
  expect(api.calls).toHaveLength(2);
  writeFileSync(file, '{"token":');
  expect((await api.run(plugin)).code).toBe(0);
  expect(api.calls).toHaveLength(3);
  await api.run([...plugin, "--fresh"]);
  expect(api.calls).toHaveLength(4);
});

test("another login is never handed the credential that is kept", async () => {
  const api = await stub(issues(3600));
  const mine = await api.run(plugin);
  const theirs = await api.run(plugin, { env: { BERTH_TOKEN: "another" } });
  expect(theirs.out).not.toBe(mine.out);
});

test("many plugins at once make one request, and a dead one's lock holds nobody up", async () => {
  const api = await stub(issues(3600, 300));
  const outs = await Promise.all(Array.from({ length: 5 }, () => api.run(plugin)));
  expect(new Set(outs.map((each) => each.out)).size).toBe(1);
  expect(api.calls).toHaveLength(1);
  const folder = join(api.home, ".cache", "berth", "credentials");
  const name = readdirSync(folder)[0] ?? "";
  const dead = spawnSync(process.execPath, ["-e", ""]).pid;
  writeFileSync(join(folder, name), "{}");
  writeFileSync(join(folder, `${name}.lock`), String(dead));
  expect((await api.run(plugin)).code).toBe(0);
  expect(readdirSync(folder)).toEqual([name]);
});

test("a refusal leaves stdout empty and no lock behind", async () => {
  const api = await stub({ [`POST ${tokenPath}`]: () => problem(401, "unauthenticated") });
  const { code, out } = await api.run(plugin);
  expect([code, out]).toEqual([3, ""]);
  expect(readdirSync(join(api.home, ".cache", "berth", "credentials"))).toEqual([]);
});

test("a kubeconfig names the launcher and where the session is kept, and holds no secret", async () => {
  const api = await stub(gives);
  const config = join(api.home, "config.json");
  writeFileSync(config, JSON.stringify({ server: api.url, token: "secret-of-file" }));
  const env = { BERTH_TOKEN: "", BERTH_SERVER: "", BERTH_CONFIG: config };
  const { code, out } = await api.run(["cluster", "kubeconfig", clusterID], { env });
  expect(code).toBe(0);
  const exec = (parse(out) as { users: { user: { exec: { command: string; env: object[] } } }[] }).users[0]?.user.exec;
  expect(exec?.command).toBe(launcher);
  expect(exec?.env).toEqual([
    { name: "BERTH_SERVER", value: api.url },
    { name: "BERTH_CONFIG", value: config },
  ]);
  expect(out).not.toContain("secret-of");
  const bare = await api.run(["cluster", "kubeconfig", clusterID]);
  expect(bare.out).not.toContain("secret-of");
  expect(bare.err).toContain("BERTH_TOKEN");
});

test("kubectl's way in works from another folder, with an empty environment but for what the kubeconfig says", async () => {
  const api = await stub({ ...gives, ...issues(3600) });
  const config = join(api.home, "config.json");
  writeFileSync(config, JSON.stringify({ server: api.url, token: "secret-of-file" }));
  const asked = { BERTH_TOKEN: "", BERTH_SERVER: "", BERTH_CONFIG: config };
  const { out } = await api.run(["cluster", "kubeconfig", clusterID], { env: asked });
  interface Exec {
    command: string;
    args: string[];
    env: { name: string; value: string }[];
  }
  const exec = (parse(out) as { users: { user: { exec: Exec } }[] }).users[0]?.user.exec;
  if (exec === undefined) throw new Error("no exec section");
  const env = Object.fromEntries(exec.env.map(({ name, value }) => [name, value]));
  const nothing = { BERTH_TOKEN: "", BERTH_STATE: "" };
  const ended = await api.run(exec.args, { command: exec.command, cwd: "/", env: { ...nothing, ...env } });
  expect(JSON.parse(ended.out)).toMatchObject({ kind: "ExecCredential" });
  expect(api.calls.at(-1)?.headers.authorization).toBe("Bearer secret-of-file");
});

test("-f writes a private file; --token asks for a token of that many seconds", async () => {
  const api = await stub({
    ...gives,
    [`POST /v1/kube/clusters/${clusterID}/kubeconfig`]: ({ body }) => ({
      body: { kubeconfig: `# ${JSON.stringify(body)}\n`, expiresAt: "" },
    }),
  });
  const file = join(api.home, "red.yaml");
  expect((await api.run(["cluster", "kubeconfig", clusterID, "-f", file])).code).toBe(0);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  const { out } = await api.run(["cluster", "kubeconfig", clusterID, "--token", "--seconds", "600"]);
  expect(out).toBe('# {"seconds":600}\n');
  expect((await api.run(["cluster", "kubeconfig", clusterID, "--token", "--seconds", "5"])).code).toBe(2);
});

test("--merge keeps what is there, comments too, and replaces what it wrote before", async () => {
  const api = await stub(gives);
  const file = join(api.home, ".kube", "config");
  mkdirSync(join(api.home, ".kube"));
  const old = `# mine\napiVersion: v1\nkind: Config\ncurrent-context: old\nclusters:\n  - name: old\n    cluster: { server: "https://old" }\n`;
  writeFileSync(file, old);
  for (let times = 0; times < 2; times++) {
    const { code, out } = await api.run(["cluster", "kubeconfig", clusterID, "--merge", "-o", "json"]);
    expect([code, JSON.parse(out)]).toEqual([0, { file, context: "red" }]);
  }
  const text = readFileSync(file, "utf8");
  const merged = parse(text) as Record<"clusters" | "users" | "contexts", { name: string }[]>;
  expect(text).toContain("# mine");
  expect(merged).toMatchObject({ "current-context": "red" });
  expect(merged.clusters.map((each) => each.name)).toEqual(["old", "red"]);
  expect(merged.users.map((each) => each.name)).toEqual(["red"]);
  expect(merged.contexts.map((each) => each.name)).toEqual(["red"]);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test("an account that is being made is waited for, and what is refused is not asked for again", async () => {
  let asked = 0;
  const api = await stub({
    [`POST ${tokenPath}`]: () => {
      asked += 1;
      if (asked < 3) return { ...problem(503, "unavailable"), headers: { "retry-after": "0" } };
      return { body: { token: "token", expiresAt: new Date(Date.now() + 600_000).toISOString() } };
    },
  });
  expect((await api.run(plugin)).code).toBe(0);
  expect(asked).toBe(3);
  const refusing = await stub({ [`POST ${tokenPath}`]: () => problem(403, "forbidden") });
  expect((await refusing.run(plugin)).code).toBe(1);
  expect(refusing.calls).toHaveLength(1);
});
