import { cluster, clusterID, stub, type Routes, type Stub } from "./stub.ts";

export const id = "prj_01k0000000000000000000000p";
export const blueID = "cls_01k0000000000000000000000b";
/** A project as the API shows it. */
export const project = (more: { phase?: string; generation?: number; openings?: object[] } = {}) => ({
  id,
  name: "shop",
  createdAt: "2026-01-02T03:04:05.000Z",
  createdBy: "mbr_01k0000000000000000000000b",
  generation: more.generation ?? 7,
  spec: {
    title: "The shop",
    labels: { team: "shop" },
    limits: { cpu: "40", pods: 100 },
    reservePercent: 20,
    defaults: {},
    podSecurity: "restricted",
    network: { mode: "isolated", openings: more.openings ?? [] },
    deletionProtection: false,
  },
  places: [
    { cluster: clusterID, weight: 1 },
    { cluster: blueID, weight: 3 },
  ],
  status: {
    phase: more.phase ?? "Degraded",
    places: [
      { cluster: clusterID, clusterName: "red", state: "Ready", message: "So it is.", share: { cpu: "8", pods: "20" } },
      {
        cluster: blueID,
        clusterName: "blue",
        state: "Taken",
        message: "It was there before.",
        share: { cpu: "24", pods: "60" },
      },
    ],
    reserve: { cpu: "8", pods: "20" },
    warnings: ["CPU is limited and has no default."],
  },
});
const contents = {
  places: [
    {
      cluster: clusterID,
      clusterName: "red",
      kinds: [
        { kind: "Deployment", count: 1, names: ["web"] },
        { kind: "Secret", count: null, names: [] },
      ],
    },
    { cluster: blueID, clusterName: "blue", why: "It does not answer.", kinds: [] },
  ],
};
/** An API that has this one project and knows every cluster by name. */
export const served = (more: Routes = {}): Promise<Stub> =>
  stub({
    "GET /v1/projects": () => ({ body: { items: [project()], next: null } }),
    [`GET /v1/projects/${id}`]: () => ({ body: project() }),
    [`PATCH /v1/projects/${id}`]: () => ({ body: project() }),
    [`GET /v1/kube/projects/${id}/contents`]: () => ({ body: contents }),
    "GET /v1/clusters": ({ query }) => {
      const name = query.get("name") ?? "";
      return { body: { items: [{ ...cluster({ name }), id: name === "blue" ? blueID : clusterID }], next: null } };
    },
    ...more,
  });
/** The last call of a method. */
export const sent = ({ calls }: Stub, method: string) => calls.filter((call) => call.method === method).at(-1);
