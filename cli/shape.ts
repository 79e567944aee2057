// What the API answers, as far as this command reads it. `-o json` prints all of an answer, known here or not.

export interface Page<T> {
  items: T[];
  next: string | null;
}

/** One step of a cluster's life. */
export interface Condition {
  type: string;
  status: "True" | "False" | "Unknown";
  reason: string;
  message: string;
  at: string;
  startedAt?: string;
  tookSeconds?: number;
}

export interface Cluster {
  id: string;
  name: string;
  createdAt: string;
  createdBy: string;
  generation: number;
  observedGeneration: number;
  spec: {
    version: string;
    region: string;
    serviceCIDRs: string[];
    podCIDRs: string[];
    sourceRanges?: string[];
    labels: Record<string, string>;
    deletionProtection: boolean;
  };
  deletedAt?: string;
  status: { phase: string; conditions: Condition[]; endpoint?: string };
}

/** What is left of a removed cluster. */
export interface Receipt {
  id: string;
  name: string;
  createdAt: string;
  deletedAt: string;
  goneAt: string;
  host: string;
  removed: string[];
  remaining: string[];
}

export interface Me {
  tenant: { id: string; name: string };
  member: { id: string; name: string; role: string };
  token: unknown;
}

/** A credential for one cluster's API server. */
export interface ClusterToken {
  token: string;
  /** ISO 8601, UTC. */
  expiresAt: string;
}

/** A cluster that one has a right in, and the projects there. */
export interface ClusterContext {
  cluster: string;
  name: string;
  server: string;
  authority: string;
  serverName: string;
  projects: { id: string; name: string }[];
}

/** Anything that has a name and an id: tokens, hosts, tenants. */
export interface Named {
  id: string;
  name: string;
  [field: string]: unknown;
}
