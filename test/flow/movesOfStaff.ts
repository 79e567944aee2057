import { hostServer, kubeconfigOf } from "../world/index.ts";
import type { Move } from "./moves.ts";
import type { Stand } from "./stand.ts";

const asStaff = async ({ world }: Stand, move: Omit<Move, "as"> = {}): Promise<Move> => ({
  ...move,
  as: await world.staff(),
});

/** What makes each route of the platform's own staff succeed. */
export const staffMoves: Record<string, (stand: Stand) => Move | Promise<Move>> = {
  createTenant: (stand) => asStaff(stand, { body: { name: "acme", title: "canary-value" } }),
  async updateTenant(stand) {
    const staff = await stand.world.staff();
    const { body } = await staff.post("/v1/home/tenants", { name: "acme" });
    return { as: staff, id: String(body["id"]), body: { state: "suspended" } };
  },
  redriveLetters: (stand) => asStaff(stand, { body: {} }),
  async releaseParked(stand) {
    const id = await stand.ask();
    const table = stand.world.deps.home.table(stand.ada.tenant);
    await table.edit({ name: "cluster", schema: { safeParse: () => ({ success: true }) } as never }, id, {
      set: { parkedAt: stand.world.clock.now() },
      remove: ["lookAt"],
    });
    return asStaff(stand, { id, body: { tenant: stand.ada.tenant } });
  },
  async registerHost(stand) {
    const body = {
      name: "north",
      region: "north",
      address: "192.0.2.77",
      ports: { from: 30_000, to: 30_100 },
      versions: ["1.34.4"],
      imagePrefix: "images.test/berth",
      storageClass: "standard",
      serviceCIDRs: ["10.96.0.0/16"],
      podCIDRs: ["10.244.0.0/16"],
      kubeconfig: await kubeconfigOf("https://192.0.2.77:6443"),
    };
    return asStaff(stand, { body });
  },
  updateHost: (stand) => asStaff(stand, { id: stand.host.id, body: { title: "canary-value" } }),
  replaceHostCredential: async (stand) =>
    asStaff(stand, { id: stand.host.id, body: { kubeconfig: await kubeconfigOf(hostServer(stand.host)) } }),
  drainHost: (stand) => asStaff(stand, { id: stand.host.id }),
  async resumeHost(stand) {
    const move = await asStaff(stand, { id: stand.host.id });
    await move.as?.call("POST", `/v1/home/hosts/${stand.host.id}/drain`);
    return move;
  },
  async removeHost(stand) {
    const move = await asStaff(stand, { id: stand.host.id });
    await move.as?.call("POST", `/v1/home/hosts/${stand.host.id}/drain`);
    await stand.world.clock.pass(60_000);
    return move;
  },
};
