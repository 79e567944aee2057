import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { namespaceOf, volumeOf } from "./plane.ts";
import { nothingElse } from "./restart.ts";
import type { Cluster, Stack } from "./stack.ts";

/** Ends `red`. */
export const removal = (stack: Stack) =>
  describe("removal", () => {
    test("a protected cluster is not removed", async () => {
      await stack.json("cluster", "protect", "red");
      const { code, err } = await stack.berth(["cluster", "delete", "red", "--yes"]);
      expect(code).toBe(5);
      expect(err).toMatch(/protected/);
      expect((await stack.json("cluster", "get", "red")).status.phase).toBe("Ready");
      await stack.json("cluster", "unprotect", "red");
    });

    test("`cluster delete --wait` leaves nothing of it, proves that, and frees its name", async () => {
      const [namespace, volume] = [await namespaceOf(stack, "red"), await volumeOf(stack, "red")];
      const { code, out, err } = await stack.berth(["cluster", "delete", "red", "--yes", "--wait", "-o", "json"]);
      expect(code, err).toBe(0);
      const receipt = JSON.parse(out) as { removed: string[]; remaining: string[] };
      expect(receipt.remaining).toEqual([]);
      expect(receipt.removed).toEqual(
        expect.arrayContaining(["StatefulSet etcd", "Secret apiserver", `Namespace ${namespace}`]),
      );
      expect((await stack.berth(["cluster", "get", "red"])).code).toBe(4);
      await nothingElse(stack);
      expect(existsSync(join(stack.state.root, "volumes", volume))).toBe(false);
      const again = await stack.api<Cluster>("POST", "/v1/clusters", { name: "red" });
      expect(again.id.replace("_", "-")).not.toBe(namespace);
      const gone = await stack.berth(["cluster", "delete", "red", "--yes", "--wait"]);
      expect(gone.code, gone.err).toBe(0);
    });
  });
