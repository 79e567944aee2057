// What a look at a cluster tells, and what a plan may ask for.
import type { Found } from "../context.ts";
import { type Objects, type Put, waves } from "../kube/index.ts";
import type { Authorities, Leaves } from "./keys.ts";
import type { Parts } from "./manifests/parts.ts";

export type { Objects, Put };

/** Everything that was seen of one cluster: its keys, its host, its inside. */
export interface Seen {
  parts: Omit<Parts, "cluster">;
  authorities: Authorities | undefined;
  leaves: { value: Leaves; expiresAt: string | undefined } | undefined;
  access: { expiresAt: string | undefined } | undefined;
  objects: Objects;
  /** Its API server says that it is ready. */
  ready: boolean;
  /** Undefined when it could not be looked into, as it is not ready. */
  inside: Objects | undefined;
}

export type Step =
  | { do: "authorities" | "leaves" | "ear" | "access" }
  /** Waves go one after the other; what stands in one wave goes at once. */
  | { do: "put"; where: "host" | "inside"; waves: Put[][] }
  /** Exactly the version that was seen, or, with `any`, that object however it stands. */
  | { do: "remove"; found: Found; any?: true }
  /** The namespace gets this lease's epoch. */
  | { do: "stamp"; found: Found }
  | { do: "list" | "finish" };

/** A step that writes these, one wave after the other; none when there is nothing that can be written now. */
export const put = (where: "host" | "inside", ...puts: Put[][]): Step[] => {
  const full = waves(...puts);
  return full.length === 0 ? [] : [{ do: "put", where, waves: full }];
};
