import { vi } from "vitest";
import * as Cluster from "#core/cluster/keys.ts";
vi.mock("#core/pki/index.ts", () => import("./pki.ts"));
export const go = async () => {
  const PKI = await import("#core/pki/index.ts");
  return ["busy" in PKI, Cluster.makeAuthorities];
};
