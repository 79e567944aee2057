import type { Context, Kind } from "#core/context.ts";
import { type ID, idOf, newID } from "#core/id.ts";
import { noteKind } from "#core/outbox/schema.ts";
import * as Project from "#core/project/index.ts";
import { Fault } from "#core/error.ts";
import * as z from "zod";
import { newStage } from "../../functions/stage.ts";

/** A cluster's row, as little of it as a project needs to know. */
const clusterKind: Kind<{ id: ID<"cluster">; name: string; deletedAt?: string | undefined }> = {
  name: "cluster",
  schema: z.object({ id: idOf("cluster"), name: z.string(), deletedAt: z.string().optional() }),
};

/** A tenant with three clusters, as far as projects need to know of them, and another tenant with one. */
export async function newGround() {
  const stage = newStage();
  const { tenant, ada } = await stage.red();
  const cluster = async (ctx: Context, name: string): Promise<ID<"cluster">> => {
    const id = newID(ctx, "cluster");
    await ctx.table.write(ctx.table.insert(clusterKind, id, { id, name }));
    return id;
  };
  const [north, south, west] = [await cluster(ada, "north"), await cluster(ada, "south"), await cluster(ada, "west")];
  const blue = await stage.tenant("blue");
  const bob = await stage.enter(blue.owner.text);
  const foreign = await cluster(bob, "foreign");
  const row = (id: string) => stage.tables.rows().get(`${tenant}/project/${id}`) as Project.Project | undefined;
  return {
    stage,
    tenant,
    ada,
    /** Of another tenant, with a cluster of its own. */
    bob,
    foreign,
    north,
    south,
    west,
    row,
    make: (name: string, input: object = {}) => Project.create(ada, Project.CreateInput.parse({ name, ...input })),
    patch: (id: ID<"project">, input: object, generation?: number) =>
      Project.update(ada, id, Project.UpdateInput.parse(input), { generation }),
    /** The cluster ends, as seen from here. */
    end: (id: ID<"cluster">) => ada.table.write(ada.table.remove(clusterKind, id)),
    removing: (id: ID<"cluster">) => ada.table.edit(clusterKind, id, { set: { deletedAt: ada.now() } }),
    /** Whom the notes of changes name, oldest first; they are taken away. */
    async told(): Promise<unknown[]> {
      const { items } = await ada.table.list(noteKind);
      await Promise.all(items.map(({ id }) => ada.table.write(ada.table.remove(noteKind, id))));
      return items.map(({ clusters }) => clusters);
    },
    /** The verbs of the project's audit entries. */
    said: (id: string): string[] =>
      [...stage.tables.rows()]
        .filter(([key, entry]) => key.startsWith(`${tenant}/audit/`) && entry["target"] === id)
        .map(([, entry]) => String(entry["verb"])),
    /** A member of the tenant, with a token that may be bound. */
    async member(role: "owner" | "editor" | "viewer", within?: Context["actor"]["within"]): Promise<Context> {
      const ctx = await stage.enter((await stage.member(tenant, role)).text);
      return { ...ctx, actor: { ...ctx.actor, ...(within && { within }) } };
    },
  };
}
export type Ground = Awaited<ReturnType<typeof newGround>>;

/** What a refusal says: its kind, and the field and words of each thing that is wrong. @throws when it is none. */
export async function refused(work: Promise<unknown>): Promise<{ kind: string; fields: Record<string, string> }> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return { kind: error.kind, fields: Object.fromEntries(error.errors.map(({ field, message }) => [field, message])) };
  }
  throw new Error("it was not refused");
}
