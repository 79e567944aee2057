import { KubeFault, type Found, type Seen } from "../context.ts";
import { faultOf } from "./fault.ts";

/** What goes over the wire, one JSON text per line. */
interface Line {
  type: string;
  object: Found & { code?: number };
}

/**
 * The changes in a watch's body. Bookmarks are passed over; a last line that was cut off is no change.
 * @throws KubeFault `expired` for an ERROR event that says so, `unavailable` for what is no event.
 */
export async function* changesIn(body: AsyncIterable<Uint8Array>, what: string, secret: boolean): AsyncGenerator<Seen> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of body) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const change = read(line, what, secret);
      if (change !== undefined) yield change;
    }
  }
}

function read(line: string, what: string, secret: boolean): Seen | undefined {
  if (line.trim() === "") return undefined;
  const { type, object } = parse(line, what);
  if (type === "ADDED" || type === "MODIFIED" || type === "DELETED") return { type, object };
  if (type !== "ERROR") return undefined;
  throw faultOf(what, { status: object.code ?? 500, retryAfter: undefined, text: JSON.stringify(object) }, secret);
}

function parse(line: string, what: string): Line {
  try {
    return JSON.parse(line) as Line;
  } catch {
    // The parser's error quotes the text, which may hold a secret: it is not kept as the cause.
    throw new KubeFault("unavailable", `${what}: an event that is no JSON`);
  }
}
