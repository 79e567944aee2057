import { compare, type Reviewed } from "#core/access/compare.ts";
import { declared } from "#core/access/explain.ts";
import { type Owed, owed } from "#core/access/owed.ts";
import { accessOf } from "#core/access/schema.ts";
import type { Kube, Manifest, Target } from "#core/context.ts";
import { kubeName } from "#core/id.ts";
import { openKube } from "#core/kube/index.ts";
import { type Apiserver, startApiserver } from "../apiserver.ts";
import { cast, here, now, type Part, projectOf, rows } from "./people.ts";
import { asTenants } from "./server.ts";

/** A real API server that decides as tenants' do, with the very objects that Berth makes there for the cast. */
export interface Stage {
  running: Apiserver;
  admin: Kube;
  objects: Owed;
  /** As a part of the cast. */
  as(part: Part): Target;
  /** With a new token of an account. */
  account(name: string, namespace?: string): Promise<Target>;
  stop(): Promise<void>;
}

export const object = (
  apiVersion: string,
  kind: string,
  name: string,
  namespace?: string,
  rest: object = {},
): Manifest => ({
  apiVersion,
  kind,
  metadata: { name, ...(namespace !== undefined && { namespace }) },
  ...rest,
});

/** What an account may do in a namespace, by the server's own word. */
export async function review(target: Target, namespace: string): Promise<Reviewed> {
  const { status } = await openKube(target).review({
    apiVersion: "authorization.k8s.io/v1",
    kind: "SelfSubjectRulesReview",
    spec: { namespace },
  });
  return status as Reviewed;
}

export async function newStage(): Promise<Stage> {
  const running = await startApiserver(asTenants);
  try {
    const admin = openKube(running.admin);
    const objects = owed({ id: accessOf(here), cluster: here }, rows, now);
    await make(admin, objects);
    const { server, authority } = running.admin;
    const account = async (name: string, namespace = "berth-members"): Promise<Target> => {
      const { token } = await admin.token({ name, namespace }, { seconds: 3_600 });
      return { server, authority, user: { token } };
    };
    const targets = new Map<string, Target>();
    for (const { id } of cast) targets.set(id, await account(kubeName(id)));
    const as = ({ id }: Part): Target => {
      const target = targets.get(id);
      if (target === undefined) throw new Error("it has no account");
      return target;
    };
    await settled(as);
    return { running, admin, objects, as, account, stop: () => running.stop() };
  } catch (error) {
    await running.stop();
    throw error;
  }
}

async function make(admin: Kube, { wide, bindings }: Owed): Promise<void> {
  for (const name of ["red", "blue", "berth-members"]) await admin.create(object("v1", "Namespace", name));
  for (const name of ["red", "blue"]) {
    await admin.create(object("v1", "ResourceQuota", "berth", name, { spec: { hard: { configmaps: "100" } } }));
    await admin.create(object("v1", "LimitRange", "berth", name, { spec: { limits: [] } }));
  }
  for (const manifest of [...wide, ...[...bindings.values()].flat()]) await admin.create(manifest);
  await admin.create(object("v1", "ServiceAccount", "bare", "berth-members"));
}

/** An API server hears of a binding some time after it took it. */
async function settled(as: (part: Part) => Target): Promise<void> {
  const until = performance.now() + 10_000;
  for (const part of cast)
    for (const space of ["red", "blue"] as const) {
      const granted = declared(rows, part.id, { cluster: here, project: projectOf(space) }, now);
      while (compare(granted, await review(as(part), space)).missing.length > 0) {
        if (performance.now() > until) throw new Error(`${part.name} does not get its rights in ${space}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
}
