import type { Page } from "./shape.ts";

export type Format = "json" | "yaml" | "table";

/** A column: its heading, and the field it shows (`spec.version`) or how to make its text. */
export type Column<T> = readonly [heading: string, from: string | ((row: T) => unknown)];

const say = (text: string): void => void process.stdout.write(text.endsWith("\n") ? text : `${text}\n`);

/** A line for people; never on stdout, which belongs to the result. */
export const note = (text: string): void => void process.stderr.write(`${text}\n`);

/** Anything as JSON or YAML. yaml is loaded only when asked for: kubectl waits for us each time. */
async function structured(format: "json" | "yaml", value: unknown): Promise<void> {
  if (format === "json") return say(JSON.stringify(value ?? null, null, 2));
  say((await import("yaml")).stringify(value ?? null, { lineWidth: 0, aliasDuplicateObjects: false }));
}

/** One thing: its columns as `heading  value` lines, empty ones left out. */
export async function show<T>(format: Format, value: T, columns: readonly Column<T>[]): Promise<void> {
  if (format !== "table") return structured(format, value);
  const cells = columns.map((column) => [column[0], cell(value, column)] as const).filter(([, text]) => text !== "");
  const width = Math.max(...cells.map(([heading]) => heading.length));
  say(cells.map(([heading, text]) => `${heading.padEnd(width)}  ${text}`).join("\n"));
}

/** A page: as a table with headings, or as the API's own `{items, next}`. Says on stderr how to go on. */
export async function showPage<T>(format: Format, page: Page<T>, columns: readonly Column<T>[]): Promise<void> {
  if (format !== "table") return structured(format, page);
  const rows = [columns.map(([heading]) => heading.toUpperCase())];
  for (const item of page.items) rows.push(columns.map((column) => cell(item, column) || "-"));
  const widths = columns.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const line = (row: string[]): string =>
    row
      .map((text, at) => text.padEnd(widths[at] ?? 0))
      .join("   ")
      .trimEnd();
  if (page.items.length === 0) note("There are none.");
  else say(rows.map(line).join("\n"));
  if (page.next !== null) note(`There are more: add --after ${page.next}, or --all.`);
}

function cell<T>(value: T, [, from]: Column<T>): string {
  const found =
    typeof from === "function"
      ? from(value)
      : from.split(".").reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], value);
  return clean(text(found));
}

function text(value: unknown): string {
  if (value === undefined || value === null) return "";
  if (Array.isArray(value)) return value.map(text).join(", ");
  if (typeof value === "string") return value;
  if (typeof value !== "object") return JSON.stringify(value) ?? "";
  return Object.entries(value)
    .map(([key, each]) => `${key}=${text(each)}`)
    .join(", ");
}

/** Other people's names reach our terminal: no control character of theirs may. */
// oxlint-disable-next-line no-control-regex -- control characters are the point here.
export const clean = (value: string): string => value.replace(/[\u0000-\u001f\u007f-\u009f]/g, " ");

/** `42s`, `5m`, `3h`, `2d` since a time in ISO 8601. */
export function age(iso: string | undefined): string {
  const seconds = Math.max(0, Math.round((Date.now() - Date.parse(iso ?? "")) / 1000));
  if (Number.isNaN(seconds)) return "";
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
