import type { Command, Option } from "commander";
import { showPage, type Column } from "./output.ts";
import { signedIn, whole } from "./run.ts";
import type { Named } from "./shape.ts";

interface Paging {
  limit?: number;
  after?: string;
  all?: boolean;
}

/**
 * A command that prints a list of the API, page by page or whole.
 * @param filters options with a value that the list takes in its query, under the same name.
 */
export function listCommand(
  parent: Command,
  what: string,
  path: string,
  columns: Column<Named>[],
  filters: Option[] = [],
): void {
  const list = parent.command("list").description(`list ${what}`);
  for (const filter of filters) list.addOption(filter);
  list
    .option("--limit <n>", "how many at most", whole)
    .option("--after <cursor>", "go on after an earlier page")
    .option("--all", "every page")
    .action(
      signedIn(async ({ client, format }, { limit, after, all, ...kept }: Paging) => {
        const query = { ...(kept as Record<string, string>), limit: limit ?? (all ? 100 : undefined), after };
        await showPage(format, await client.list<Named>(path, query, all), columns);
      }),
    );
}
