import { readFileSync } from "node:fs";
import { parseAllDocuments } from "yaml";
import type { Manifest } from "#core/context.ts";

/** What operators apply to a host, in the order of the file. */
export const hostRole = (): Manifest[] =>
  parseAllDocuments(readFileSync(new URL("../../../docs/host-role.yaml", import.meta.url), "utf8")).map((document) => {
    const [wrong] = document.errors;
    if (wrong !== undefined) throw wrong;
    return document.toJS() as Manifest;
  });
