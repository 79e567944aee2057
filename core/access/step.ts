// What a look at the inside of a cluster tells, and what a plan may ask for.
import type { Found } from "../context.ts";
import type * as Grant from "../grant/index.ts";
import type { ID } from "../id.ts";
import type { Objects, Put } from "../kube/index.ts";

/** The Secret that a member's tokens of one session are bound to. */
export interface Session {
  found: Found;
  member: ID<"member"> | undefined;
  /** Its API token or sign-in has ended. */
  over: boolean;
}

/** What people and projects are owed, and what of it is inside of one cluster. */
export interface Seen {
  /** When the look began, ISO 8601 UTC. */
  at: string;
  /** Of the row, before all else was read: what was told to it by then is seen here. */
  generation: number;
  rows: Grant.Rows;
  /** What carries this cluster's label, by `Kind namespace/name`. */
  objects: Objects;
  /** Namespaces of a project's name that do not, by name. */
  others: ReadonlyMap<string, Found>;
  sessions: Session[];
  /** What the cluster would not have of a project in this very pass, in its own words. */
  refused: Readonly<Record<ID<"project">, string>>;
}

export type Step =
  /** Waves go one after the other; what stands in one goes at once. Of a project, what is refused is its own matter. */
  | { do: "put"; waves: Put[][]; project?: ID<"project"> }
  | { do: "remove"; found: Found }
  /** The namespace that a project was to take over is its own: the word for it is spent. */
  | { do: "adopted"; project: ID<"project"> }
  /** A project's namespace is gone from here for good. */
  | { do: "left"; project: ID<"project"> };
