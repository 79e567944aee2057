import type { Context } from "../context.ts";
import type { ID } from "../id.ts";
import { over, rowID, tokenKind } from "./schema.ts";

/** Which of these tokens (100 at most) have ended: revoked, expired, or gone altogether. One call, or none. */
export async function ended(
  { table, now }: Pick<Context, "table" | "now">,
  asked: { member: ID<"member">; token: ID<"token"> }[],
): Promise<ID<"token">[]> {
  if (asked.length === 0) return [];
  const rows = await table.getAll(asked.map(({ member, token }) => [tokenKind, rowID(member, token)] as const));
  return asked.flatMap(({ token }, at) => {
    const row = rows[at];
    const works = row !== undefined && row.ttl === undefined && row.revokedAt === null && !over(row, now());
    return works ? [] : [token];
  });
}
