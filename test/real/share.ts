import { join } from "node:path";
import { describe, expect, test, vi } from "vitest";
import type { Stack } from "./stack.ts";

interface Placed {
  status: { phase: string; places: { clusterName: string; state: string; message: string }[] };
}

/** Needs the cluster `red`; makes `navy` and three people, and leaves two of them with a project on `red`. */
export const share = (stack: Stack) =>
  describe("two clusters, three people, two projects over both", () => {
    const names = ["ada", "bob", "cleo"] as const;
    type Name = (typeof names)[number];
    const configOf = (name: Name): string => join(stack.people, `${name}.json`);
    /** The command as one of them, signed in by the invite. */
    const as = (name: Name, ...args: string[]) =>
      stack.berth(args, { BERTH_CONFIG: configOf(name), XDG_CACHE_HOME: join(stack.people, `cache-${name}`) });
    const must = async (name: Name, ...args: string[]): Promise<string> => {
      const { code, out, err } = await as(name, ...args);
      if (code !== 0) throw new Error(`${name}: berth ${args.join(" ")} ended with ${code}:\n${out}\n${err}`);
      return out;
    };
    const fileOf = (name: Name): string => join(stack.people, `${name}.kubeconfig`);
    /** kubectl as one of them, in one context of the file over all clusters. */
    const kubectl = (name: Name, context: string, ...args: string[]) =>
      stack.kubectl(fileOf(name), "--context", context, ...args);
    const may = async (name: Name, context: string, ...args: string[]): Promise<string> =>
      (await kubectl(name, context, "auth", "can-i", ...args)).out.trim();

    test("people come by invites, one use each, and a project is a namespace on both clusters", async () => {
      expect((await stack.berth(["cluster", "create", "navy", "--wait"])).code).toBe(0);
      for (const name of names) {
        const role = name === "ada" ? "editor" : "viewer";
        const { link } = await stack.json<{ link: string }>("invite", "create", name, "--role", role);
        const accepted = await as(name, "invite", "accept", link, "--name", name);
        expect(accepted.code, accepted.err).toBe(0);
        expect((await as(name, "invite", "accept", link)).code).not.toBe(0);
        expect(await must(name, "whoami")).toContain(name);
      }
      for (const project of ["shop", "mill"]) {
        const both = ["--cluster", "red", "--cluster", "navy"];
        const limit = ["--limit", "cpu=5,pods=10", "--reserve", "20"];
        const made = await stack.json<Placed>("project", "create", project, ...both, ...limit, "--wait");
        const states = made.status.places.map(({ clusterName, state }) => `${clusterName} ${state}`);
        expect(states.sort()).toEqual(["navy Ready", "red Ready"]);
      }
      const owner = await stack.kubeconfig("navy");
      const quota = await stack.kubectl(
        owner,
        "-n",
        "shop",
        "get",
        "resourcequota",
        "berth",
        "-o",
        "jsonpath={.spec.hard}",
      );
      expect(JSON.parse(quota.out)).toMatchObject({ "requests.cpu": "2", pods: "4" });
    });

    test("each one's kubectl does what was granted on both clusters, and nothing else", async () => {
      await stack.json("grant", "create", "ada", "admin", "--on", "project", "shop");
      await stack.json("grant", "create", "bob", "edit", "--on", "project", "shop");
      await stack.json("grant", "create", "bob", "view", "--on", "project", "mill");
      await stack.json("grant", "create", "cleo", "view", "--on", "cluster", "red");
      for (const name of names) await must(name, "kubeconfig", "-f", fileOf(name));
      for (const cluster of ["red", "navy"]) {
        const made = await kubectl("bob", `shop.${cluster}`, "create", "configmap", "made", "--from-literal=by=bob");
        expect(made.code, made.err).toBe(0);
        expect(await may("bob", `shop.${cluster}`, "create", "pods")).toBe("yes");
        expect(await may("bob", `mill.${cluster}`, "get", "pods")).toBe("yes");
        expect(await may("bob", `mill.${cluster}`, "create", "pods")).toBe("no");
        expect(await may("bob", `mill.${cluster}`, "get", "secrets")).toBe("no");
        expect(await may("ada", `shop.${cluster}`, "update", "networkpolicies.networking.k8s.io")).toBe("yes");
        expect(await may("ada", `shop.${cluster}`, "get", "pods", "-n", "mill")).toBe("no");
        for (const name of ["ada", "bob"] as const) {
          expect(await may(name, `shop.${cluster}`, "create", "serviceaccounts/token", "-n", "berth-members")).toBe(
            "no",
          );
          expect(await may(name, `shop.${cluster}`, "get", "secrets", "-n", "kube-system")).toBe("no");
          expect(await may(name, `shop.${cluster}`, "create", "rolebindings.rbac.authorization.k8s.io")).toBe("no");
        }
      }
      expect(await may("cleo", "red", "list", "nodes")).toBe("yes");
      expect(await may("cleo", "shop.red", "get", "pods")).toBe("yes");
      expect(await may("cleo", "red", "get", "pods", "-n", "kube-system")).toBe("no");
      expect(
        (await as("cleo", "cluster", "kubeconfig", "navy", "--token", "-f", join(stack.people, "no"))).err,
      ).toContain("no right in this cluster");
    });

    test("nobody gives more than it has, and what it has is explained", async () => {
      const { code, err } = await as("ada", "grant", "create", "cleo", "owner", "--on", "project", "shop");
      expect(code).not.toBe(0);
      expect(err).toMatch(/owner/);
      expect((await as("bob", "grant", "create", "cleo", "edit", "--on", "project", "shop")).code).not.toBe(0);
      await must("ada", "grant", "create", "cleo", "edit", "--on", "project", "shop");
      expect((await as("cleo", "can-i", "create", "pods", "--project", "shop", "--cluster", "navy")).code).toBe(0);
      expect((await as("cleo", "can-i", "create", "pods", "--project", "mill", "--cluster", "navy")).code).toBe(1);
      const compared = await must("bob", "can-i", "--list", "--compare", "--project", "shop", "--cluster", "red");
      expect(compared).toMatch(/same|agree|as granted/i);
      const { out } = await stack.berth(["who-can", "create", "pods", "--project", "shop", "--cluster", "red"]);
      for (const name of names) expect(out).toContain(name);
    });

    test("a stranger's hand on a binding is put back within seconds", async () => {
      const owner = await stack.kubeconfig("red");
      const bindings = async () => {
        const { out } = await stack.kubectl(owner, "-n", "shop", "get", "rolebindings", "-o", "name");
        return out.trim().split("\n").sort();
      };
      const before = await bindings();
      const gone = await stack.kubectl(owner, "-n", "shop", "delete", ...before.slice(0, 1));
      expect(gone.code, gone.err).toBe(0);
      await vi.waitUntil(async () => (await bindings()).join() === before.join(), { timeout: 15_000, interval: 200 });
    });

    test("a right that is taken is gone on both clusters when the answer says so, and within 15 seconds anyway", async () => {
      const { items } = await stack.json<{ items: { id: string; group: string }[] }>(
        "grant",
        "list",
        "--subject",
        "bob",
      );
      const edit = items.find(({ group }) => group === "edit");
      const taken = await stack.json<{ confirmation: { confirmed: string[]; pending: unknown[] } }>(
        "grant",
        "delete",
        String(edit?.id),
      );
      expect(taken.confirmation.confirmed).toHaveLength(2);
      expect(taken.confirmation.pending).toEqual([]);
      for (const cluster of ["red", "navy"]) {
        const gone = async () => (await kubectl("bob", `shop.${cluster}`, "get", "configmaps")).code !== 0;
        await vi.waitUntil(gone, { timeout: 15_000, interval: 250 });
        expect(await may("bob", `mill.${cluster}`, "get", "pods")).toBe("yes");
      }
    });

    test("a removed member is gone from both clusters, with its tokens", async () => {
      expect((await stack.berth(["member", "remove", "bob", "--yes"])).code).toBe(0);
      expect((await as("bob", "whoami")).code).not.toBe(0);
      for (const cluster of ["red", "navy"]) {
        const gone = async () => (await kubectl("bob", `mill.${cluster}`, "get", "pods")).code !== 0;
        await vi.waitUntil(gone, { timeout: 15_000, interval: 250 });
        const owner = await stack.kubeconfig(cluster);
        const held = async () =>
          (await stack.kubectl(owner, "get", "serviceaccounts,rolebindings,clusterrolebindings", "-A", "-o", "yaml"))
            .out;
        expect(await held()).not.toMatch(/berth.dev\/name: bob/);
      }
      const { code, out } = await stack.berth(["audit", "verify"]);
      expect([code, out]).toEqual([0, expect.stringMatching(/^whole:/)]);
    });

    test("a project goes with its namespaces, once its name was said", async () => {
      expect((await stack.berth(["project", "delete", "mill", "--yes", "wrong"])).code).not.toBe(0);
      const { code, err } = await stack.berth(["project", "delete", "mill", "--yes", "mill", "--wait"]);
      expect(code, err).toBe(0);
      for (const cluster of ["red", "navy"]) {
        const owner = await stack.kubeconfig(cluster);
        expect((await stack.kubectl(owner, "get", "namespace", "mill")).err).toContain("not found");
        expect((await stack.kubectl(owner, "get", "namespace", "shop")).code).toBe(0);
      }
    });

    test("a cluster that ends takes its part of a project with it, and its kubeconfig contexts", async () => {
      expect((await stack.berth(["cluster", "delete", "navy", "--yes", "--wait"])).code).toBe(0);
      const places = async () => (await stack.json<Placed>("project", "get", "shop")).status.places;
      await vi.waitUntil(async () => (await places()).length === 1, { timeout: 30_000, interval: 250 });
      expect(await places()).toMatchObject([{ clusterName: "red", state: "Ready" }]);
      await must("cleo", "kubeconfig", "-f", fileOf("cleo"));
      const { out } = await stack.kubectl(fileOf("cleo"), "config", "get-contexts", "-o", "name");
      expect(out.trim().split("\n").sort()).toEqual(["red", "shop.red"]);
    });
  });
