import type { Command } from "commander";
import { sure } from "./ask.ts";
import { age, show, showPage, type Column } from "./output.ts";
import { find, signedIn, whole } from "./run.ts";
import { Stop } from "./fault.ts";
import type { Named, Page } from "./shape.ts";

interface Quota {
  what: string;
  used: number | null;
  limit: number;
  counted?: number | null;
}

const quotas: Column<Quota>[] = [
  ["What", "what"],
  ["Used", "used"],
  ["Limit", "limit"],
];

/** Says a recount only where it is not what the counter says. */
const told = (row: Named): string =>
  ((row["quotas"] ?? []) as Quota[])
    .map(({ what, used, limit, counted }) => {
      const odd = (counted ?? used) === used ? "" : ` (counted ${counted})`;
      return used === null ? `${what} ${limit}` : `${what} ${used}/${limit}${odd}`;
    })
    .join(", ");

const tenants: Column<Named>[] = [
  ["Name", "name"],
  ["ID", "id"],
  ["Title", "title"],
  ["State", "state"],
  ["Quotas", told],
  ["Age", (row) => age(row["createdAt"] as string | undefined)],
];

/** What the caller's tenant may have. */
export function quotaCommand(root: Command): void {
  root
    .command("quota")
    .description("what your tenant may have, and what it has")
    .action(
      signedIn(async ({ client, format }) => {
        await showPage(format, await client.get<Page<Quota>>("/v1/quotas"), quotas);
      }),
    );
}

/** What is counted, and what an option of that name says of it. */
const counted = {
  clusters: "clusters",
  projects: "projects",
  members: "members",
  teams: "teams",
  groups: "permission groups",
  grants: "grants",
  tokens: "tokens that have not ended",
  invites: "open invites",
  "requests-per-second": "requests per second",
};

/** What staff may do to a tenant that is there. */
export function tenantStateCommands(tenant: Command): void {
  const at = (id: string): string => `/v1/home/tenants/${encodeURIComponent(id)}`;
  tenant
    .command("get <name>")
    .description("one tenant with what it uses, by its name or id")
    .action(
      signedIn(async ({ client, format }, name: string) => {
        const { id } = await find(client, "tenant", name);
        await show(format, await client.get<Named>(at(id)), tenants);
      }),
    );
  tenant
    .command("suspend <name>")
    .description("end what its tokens can do; its clusters go on")
    .option("--yes", "do not ask")
    .action(
      signedIn(async ({ client, format }, name: string, options: { yes?: boolean }) => {
        const found = await find(client, "tenant", name);
        await sure(found.name, `Suspending ${found.name} shuts all of its members out`, options);
        const { value } = await client.call<Named>("PATCH", at(found.id), { body: { state: "suspended" } });
        await show(format, value, tenants);
      }),
    );
  tenant
    .command("resume <name>")
    .description("let a suspended tenant back in")
    .action(
      signedIn(async ({ client, format }, name: string) => {
        const { id } = await find(client, "tenant", name);
        const { value } = await client.call<Named>("PATCH", at(id), { body: { state: "active" } });
        await show(format, value, tenants);
      }),
    );
  const limit = tenant.command("limit <name>").description("say how much a tenant may have; what is left out stays");
  for (const [what, said] of Object.entries(counted)) limit.option(`--${what} <n>`, said, whole);
  limit.action(
    signedIn(async ({ client, format }, name: string, limits: Record<string, number>) => {
      if (Object.keys(limits).length === 0) throw new Stop("usage", "Say at least one limit, such as --clusters 30.");
      const { id } = await find(client, "tenant", name);
      const { value } = await client.call<Named>("PATCH", at(id), { body: { limits } });
      await show(format, value, tenants);
    }),
  );
}
