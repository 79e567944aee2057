// What a look at a cluster tells, and what a plan may ask for.
import type { Found, Manifest } from "../context.ts";
import type { ID } from "../id.ts";
import type { Authorities, Leaves } from "./keys.ts";
import type { Parts } from "./manifests/parts.ts";

/** Objects by `Kind name` on the host, by `Kind namespace/name` inside. */
export type Objects = ReadonlyMap<string, Found>;

export interface Put {
  manifest: Manifest;
  found: Found | undefined;
}

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
  /** Members who own the tenant: each has an account in the cluster. */
  owners: ID<"member">[];
}

export type Step =
  | { do: "authorities" | "leaves" | "access" }
  /** Waves go one after the other; what stands in one wave goes at once. */
  | { do: "put"; where: "host" | "inside"; waves: Put[][] }
  /** Exactly the version that was seen, or, with `any`, that object however it stands. */
  | { do: "remove"; found: Found; any?: true }
  /** The namespace gets this lease's epoch. */
  | { do: "stamp"; found: Found }
  | { do: "list" | "finish" };
