import { expect } from "vitest";
import { kubeName } from "#core/id.ts";
import type { Answer } from "../world/index.ts";
import { newStand } from "./stand.ts";

export const text = (body: Record<string, unknown>, field = "id"): string => String(body[field]);
export const fields = ({ body }: Answer): string[] =>
  ((body["errors"] ?? []) as { field: string }[]).map(({ field }) => field);

/** A stand whose owner, ada, lets people in by invites, and what each has in clusters. */
export async function newCrew() {
  const stand = await newStand();
  const { world, ada } = stand;
  const accept = (link: string, name = "bob"): Promise<Answer> =>
    world.as(undefined).post("/v1/invites/accept", { invite: link, name });
  return {
    stand,
    ada,
    accept,
    /** An invite's link. */
    async invite(more: object = {}): Promise<string> {
      const answer = await ada.post("/v1/invites", { role: "viewer", ...more });
      expect(answer.status, answer.text).toBe(201);
      return text(answer.body, "link");
    },
    /** The member's id, and what calls with its session. */
    async enter(link: string) {
      const { status, body, text: said } = await accept(link);
      expect(status, said).toBe(201);
      await world.drain();
      return { id: text(body["member"] as Record<string, unknown>), ...world.as(text(body, "token")) };
    },
    /** What is used of each quota. */
    used: async (): Promise<Record<string, number>> => {
      const items = (await ada.get("/v1/quotas")).body["items"] as { what: string; used: number }[];
      return Object.fromEntries(items.map((each) => [each.what, each.used]));
    },
    /** Whether a member has an account in a cluster. */
    account: (cluster: string, id: string): boolean =>
      stand.names(cluster, "ServiceAccount").includes(`berth-members/${kubeName(id)}`),
    /** All that is bound to a member in a cluster. */
    bindings: (cluster: string, id: string): string[] =>
      [...stand.kept(cluster).values()]
        .filter(({ kind }) => kind === "RoleBinding" || kind === "ClusterRoleBinding")
        .filter((each) => JSON.stringify(each["subjects"] ?? []).includes(kubeName(id)))
        .map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ""}/${metadata.name}`),
  };
}
export type Crew = Awaited<ReturnType<typeof newCrew>>;
