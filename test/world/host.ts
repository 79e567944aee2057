import type { Seal } from "#core/context.ts";
import { binding } from "#core/host/home.ts";
import { credentialKind, type Host, hostKind } from "#core/host/schema.ts";
import { newID } from "#core/id.ts";
import * as PKI from "#core/pki/index.ts";
import type { Deps } from "#functions/deps.ts";

/** A host that is registered, ready and well. Its API server is at port 6443 of its address. */
export async function newHost(deps: Deps, seal: Seal, more: Partial<Host> = {}): Promise<Host> {
  const host = await newRow(deps, more);
  const target = { server: hostServer(host), authority: "a host's authority", user: { token: hostToken } };
  const sealed = await seal.seal(JSON.stringify(target), binding(deps.home.tenant, host.id));
  const table = deps.home.table(deps.home.tenant);
  await table.write(table.insert(credentialKind, host.id, { sealed }));
  return host;
}

/** The row alone, as when its credential was lost. */
export async function newRow(deps: Deps, more: Partial<Host> = {}): Promise<Host> {
  const now = deps.now();
  const host: Host = {
    id: newID(deps, "host"),
    name: "north",
    region: "north",
    zones: [],
    address: "192.0.2.10",
    ports: { from: 30_000, to: 30_002 },
    versions: ["1.34.4", "1.35.4"],
    policyEngine: null,
    imagePrefix: "images.test/berth",
    storageClass: "standard",
    serviceCIDRs: ["10.96.0.0/16"],
    podCIDRs: ["10.244.0.0/16"],
    title: "",
    generation: 1,
    fenced: null,
    state: "ready",
    runs: "v1.34.4",
    createdAt: now,
    checkedAt: now,
    healthyAt: now,
    homeRanges: [],
    strangers: [],
    ...more,
  };
  const table = deps.home.table(deps.home.tenant);
  await table.write(table.insert(hostKind, host.id, host));
  return host;
}

/** Berth's secret on every host: it must never be seen in clear. */
export const hostToken = "host-token-canary";
export const hostServer = ({ address }: Pick<Host, "address">): string => `https://${address}:6443`;

/** A kubeconfig with Berth's token on a host. */
export async function kubeconfigOf(server: string): Promise<string> {
  const { certificate } = await PKI.authority({ commonName: "host", days: 3650, now: "2026-01-01T00:00:00.000Z" });
  return PKI.kubeconfig({ name: "host", server, authority: certificate, user: { token: hostToken } });
}
