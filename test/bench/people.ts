import { setTimeout as wait } from "node:timers/promises";
import type { Target } from "#core/context.ts";
import type { Stack } from "./stack.ts";

/** One who came into a cluster by a grant on a project, with a credential of the cluster itself. */
export interface Guest {
  member: string;
  /** The API token: its id, and its text. */
  token: string;
  text: string;
  grant: string;
  /** The cluster's API server, as this member. */
  target: Target;
}

/** A cluster that is ready, with a project on it. */
export async function newSpace(stack: Stack, name: string): Promise<{ cluster: string; project: string }> {
  const { id: cluster } = await stack.ask<{ id: string }>("POST", "/v1/clusters", { name });
  await until(async () => {
    const { status } = await stack.ask<{ status: { phase: string } }>("GET", `/v1/clusters/${cluster}?wait=20`);
    return status.phase === "Ready";
  });
  const { id: project } = await stack.ask<{ id: string }>("POST", "/v1/projects", { name, places: [{ cluster }] });
  return { cluster, project };
}

/** A robot that may edit in a project, and what it needs to come in. */
export async function newGuest(stack: Stack, at: { cluster: string; project: string }, name: string): Promise<Guest> {
  const robot = { name, kind: "robot", role: "viewer" };
  const { id: member } = await stack.ask<{ id: string }>("POST", "/v1/members", robot);
  const { id: token, token: text } = await stack.ask<{ id: string; token: string }>("POST", "/v1/tokens", {
    name,
    member,
  });
  const given = { subject: member, group: "edit", scope: at.project };
  const { id: grant } = await stack.ask<{ id: string }>("POST", "/v1/grants", given);
  let target: Target | undefined;
  await until(async () => {
    const answer = await stack.call(text, `/v1/kube/clusters/${at.cluster}/token`, { method: "POST", body: "{}" });
    if (answer.status === 503) return false;
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
    const { token: own, ...where } = (await answer.json()) as Record<
      "token" | "server" | "authority" | "serverName",
      string
    >;
    target = { server: where.server, authority: where.authority, serverName: where.serverName, user: { token: own } };
    return true;
  });
  if (target === undefined) throw new Error("there is no credential");
  return { member, token, text, grant, target };
}

/** @throws Error when it does not come true within two minutes. */
export async function until(done: () => Promise<boolean>): Promise<void> {
  for (let left = 480; left > 0; left -= 1) {
    if (await done()) return;
    await wait(250);
  }
  throw new Error("it did not come true in time");
}
