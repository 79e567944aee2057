import { existsSync, readFileSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { isMap, isSeq, parseDocument, type Document } from "yaml";
import { writePrivate } from "./config.ts";
import { Stop } from "./fault.ts";

/** The file that kubectl would write to: the first of KUBECONFIG, else ~/.kube/config; a link is followed, not replaced. */
function target(): string {
  const first = (process.env["KUBECONFIG"] ?? "").split(delimiter).find((each) => each !== "");
  const path = resolve(first ?? join(homedir(), ".kube", "config"));
  return existsSync(path) ? realpathSync(path) : path;
}

function parse(text: string, what: string): Document {
  const document = parseDocument(text);
  if (document.errors.length > 0 || !isMap(document.contents)) throw new Stop("fault", `${what} is no kubeconfig.`);
  return document;
}

/**
 * Puts a kubeconfig's entries into the user's own, over entries of the same name, and makes its context current; with
 * `keepCurrent` only where none is. Everything else in the file stays as it is, comments too.
 */
export function merge(text: string, keepCurrent = false): { file: string; context: string } {
  const file = target();
  const fresh = parse(text, "The server's answer");
  const kept = existsSync(file) ? readFileSync(file, "utf8") : "";
  const into = kept.trim() === "" ? fresh : parse(kept, file);
  if (into !== fresh) for (const section of ["clusters", "users", "contexts"]) replace(into, fresh, section);
  const before = into.get("current-context");
  const stays = keepCurrent && typeof before === "string" && before !== "";
  const context = stays ? before : String(fresh.get("current-context"));
  into.set("current-context", context);
  writePrivate(file, into.toString({ lineWidth: 0 }));
  return { file, context };
}

function replace(into: Document, fresh: Document, section: string): void {
  const news = fresh.get(section);
  if (!isSeq(news)) return;
  const names = new Set(news.items.map((each) => (isMap(each) ? each.get("name") : undefined)));
  const olds = into.get(section);
  const stays = isSeq(olds) ? olds.items.filter((each) => !isMap(each) || !names.has(each.get("name"))) : [];
  if (isSeq(olds)) olds.items = [...stays, ...news.items];
  else into.set(section, news);
}
