import { type Command, Option } from "commander";
import { Stop } from "./fault.ts";
import { listCommand } from "./list.ts";
import { age, note, show, showPage } from "./output.ts";
import { signedIn, whole } from "./run.ts";
import type { Named } from "./shape.ts";

interface Parked {
  tenant: string;
  id: string;
}

/** What waits for a person: rows that were given up, and messages that nobody could work on (staff). */
export function waitingCommands(root: Command): void {
  const parked = root.command("parked").description("what failed too often and waits for a person (staff)");
  listCommand(parked, "what waits, the longest first", "/v1/home/parked", [
    ["Noun", "noun"],
    ["Name", "name"],
    ["ID", "id"],
    ["Tenant", "tenant"],
    ["Since", (row) => age(row["since"] as string | undefined)],
    ["Why", "why"],
  ]);
  parked
    .command("release <id>")
    .description("have it looked at again, as if it had never failed")
    .addOption(new Option("--tenant <id>", "whose it is; left out, it is looked for among what is parked"))
    .action(
      signedIn(async ({ client, format }, id: string, options: { tenant?: string }) => {
        const among = async (): Promise<string> => {
          const { items } = await client.list<Parked>("/v1/home/parked", { limit: 100 }, true);
          const found = items.find((each) => each.id === id);
          if (found === undefined) throw new Stop("missing", `${id} is not parked; with --tenant it can be tried.`);
          return found.tenant;
        };
        const body = { tenant: options.tenant ?? (await among()) };
        const path = `/v1/home/parked/${encodeURIComponent(id)}/release`;
        const { value } = await client.call<Parked & { released: boolean }>("POST", path, { body });
        if (!value.released) note("It was not parked; nothing was done.");
        await show(format, value, [
          ["ID", "id"],
          ["Tenant", "tenant"],
          ["Released", "released"],
        ]);
      }),
    );
  const letters = root.command("letters").description("messages that nobody could work on (staff)");
  letters
    .command("list")
    .description("list some of them; they stay where they are")
    .option("--limit <n>", "how many at most", whole)
    .action(
      signedIn(async ({ client, format }, { limit }: { limit?: number }) => {
        const page = await client.list<Named>("/v1/home/letters", { limit });
        await showPage(format, page, [
          ["Sent", "sentAt"],
          ["Reason", "reason"],
          ["Names", "names.id"],
          ["Tenant", "names.tenant"],
          ["ID", "id"],
        ]);
      }),
    );
  letters
    .command("redrive")
    .description("send them back to the queue; what can't be read stays")
    .option("--limit <n>", "how many at most", whole)
    .action(
      signedIn(async ({ client, format }, { limit }: { limit?: number }) => {
        const body = limit === undefined ? {} : { limit };
        const { value } = await client.call<{ redriven: number }>("POST", "/v1/home/letters/redrive", { body });
        await show(format, value, [["Sent again", "redriven"]]);
      }),
    );
}
