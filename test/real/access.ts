import { readFileSync } from "node:fs";
import { request } from "node:https";
import { describe, expect, test, vi } from "vitest";
import { type Cluster, run, type Stack } from "./stack.ts";

/** Makes the cluster `red`, which the parts after this one use. */
export const access = (stack: Stack) =>
  describe("a cluster and the ways into it", () => {
    test("`cluster create --wait` ends with a control plane that answers kubectl, and shows its steps", async () => {
      const { code, out, err } = await stack.berth(["cluster", "create", "red", "--wait", "-o", "json"]);
      expect(err).toMatch(/\+ APIServerReady/);
      expect(code).toBe(0);
      expect((JSON.parse(out) as Cluster).status.phase).toBe("Ready");
      const kubeconfig = await stack.kubeconfig("red");
      const { out: names, err: why } = await stack.kubectl(kubeconfig, "get", "namespaces", "-o", "name");
      expect(why).toBe("");
      expect(names.split("\n")).toContain("namespace/berth-members");
    });

    test("the kubeconfig holds no secret, and works from any folder with an empty environment", async () => {
      const text = readFileSync(await stack.kubeconfig("red"), "utf8");
      expect(text).not.toMatch(/token:|client-key|PRIVATE KEY|password/);
      expect(text).not.toContain(readFileSync(`${stack.state.root}/token`, "utf8").trim());
      const args = ["--kubeconfig", `${stack.people}/red.kubeconfig`, "--cache-dir", stack.people, "auth", "whoami"];
      const { code, out, err } = await run(stack.kubectlPath, args, { env: { HOME: stack.people }, cwd: "/" });
      expect(err).toBe("");
      expect(code).toBe(0);
      expect(out).toContain("system:serviceaccount:berth-members:mbr-");
    });

    test("an owner may do everything in the cluster, and Berth's own door there next to nothing", async () => {
      const kubeconfig = await stack.kubeconfig("red");
      const may = async (...args: string[]) => (await stack.kubectl(kubeconfig, "auth", "can-i", ...args)).out.trim();
      expect(await may("*", "*", "--all-namespaces")).toBe("yes");
      expect((await stack.kubectl(kubeconfig, "create", "namespace", "team")).code).toBe(0);
      const door = ["--as", "berth-access", "--as-group", "berth:access"];
      expect(await may("create", "serviceaccounts", "--subresource=token", "-n", "berth-members", ...door)).toBe("yes");
      expect(await may("list", "secrets", "-n", "kube-system", ...door)).toBe("no");
      expect(await may("get", "nodes", ...door)).toBe("no");
      expect(await may("create", "clusterrolebindings", ...door)).toBe("no");
    });

    test("a kubeconfig with a token works alone, until its session's Secret is deleted in the cluster", async () => {
      const owner = await stack.kubeconfig("red");
      const secrets = async () => {
        const { out } = await stack.kubectl(owner, "-n", "berth-members", "get", "secrets", "-o", "name");
        return new Set(out.trim().split("\n"));
      };
      const before = await secrets();
      const { token } = await stack.json<{ token: string }>("token", "create", "pipeline");
      const env = { BERTH_TOKEN: token, BERTH_SERVER: stack.url };
      const file = `${stack.people}/pipeline.kubeconfig`;
      const made = await stack.berth(["cluster", "kubeconfig", "red", "--token", "--seconds", "600", "-f", file], env);
      expect(made.code, made.err).toBe(0);
      expect(readFileSync(file, "utf8")).not.toContain("exec:");
      const ask = () => stack.kubectl(file, "get", "namespace", "team", "-o", "name");
      expect((await ask()).out).toBe("namespace/team\n");
      const session = [...(await secrets())].filter((each) => !before.has(each));
      expect(session).toHaveLength(1);
      await stack.kubectl(owner, "-n", "berth-members", "delete", ...session);
      // An API server remembers a token that it found good for ten seconds.
      await vi.waitUntil(async () => (await ask()).code !== 0, { timeout: 15_000, interval: 500 });
      expect((await ask()).err).toMatch(/Unauthorized|must be logged in/);
      expect((await stack.kubectl(owner, "get", "namespace", "team")).code).toBe(0);
    });

    test("a stranger without a credential sees health and where the cluster is, and nothing else", async () => {
      const { status, id } = await stack.json("cluster", "get", "red");
      const ask = (path: string) => answer(status, `${id.replace("_", "-")}.berth.internal`, path);
      expect(await ask("/livez")).toBe(200);
      expect(await ask("/readyz")).toBe(200);
      expect(await ask("/api/v1/namespaces/kube-public/configmaps/cluster-info")).toBe(200);
      for (const path of ["/version", "/api/v1/namespaces", "/metrics", "/openapi/v3", "/apis"]) {
        expect([401, 403], path).toContain(await ask(path));
      }
    });
  });

/** Status of a GET without a credential, trusting the cluster's own authority and name alone. */
function answer({ endpoint, authority }: Cluster["status"], servername: string, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const asked = request(endpoint + path, { ca: authority, servername, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.once("error", reject).end();
  });
}
