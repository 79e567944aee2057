import type { Rule } from "../group/index.ts";
import { normal, without } from "./rules.ts";

/** What a SelfSubjectRulesReview answers, as far as it is read (authorization.k8s.io/v1). */
export interface Reviewed {
  resourceRules?: {
    verbs: string[];
    apiGroups?: string[];
    resources?: string[];
    resourceNames?: string[];
  }[];
  nonResourceRules?: { verbs: string[]; nonResourceURLs?: string[] }[];
  /** Not all authorizers could tell. */
  incomplete?: boolean;
}

/** What grants say beside what the cluster says. */
export interface Compared {
  same: boolean;
  /** Granted, and not held in the cluster. */
  missing: Rule[];
  /** Held in the cluster, and granted by nobody here: somebody else's binding, or a right that was not taken yet. */
  extra: Rule[];
  /** What everybody who is known holds there by Kubernetes' own bindings: to ask about oneself, and to discover. */
  everyone: Rule[];
  /** Whether the cluster could name all of it. */
  complete: boolean;
}

/** Given to every account by the bindings that each API server makes for itself (`system:basic-user`). */
export const everyoneRules: Rule[] = [
  {
    apiGroups: ["authorization.k8s.io"],
    resources: ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
    verbs: ["create"],
  },
  { apiGroups: ["authentication.k8s.io"], resources: ["selfsubjectreviews"], verbs: ["create"] },
];

/** Lays what was granted beside what the cluster says that its account holds. */
export function compare(granted: readonly Rule[], reviewed: Reviewed): Compared {
  const held = rulesIn(reviewed);
  const missing = without(granted, held);
  const extra = without(held, [...granted, ...everyoneRules]);
  const own = without(everyoneRules, granted);
  return {
    same: missing.length === 0 && extra.length === 0,
    missing,
    extra,
    everyone: without(own, without(own, held)),
    complete: reviewed.incomplete !== true,
  };
}

/** The rules of a review, in the fewest. */
export const rulesIn = ({ resourceRules = [] }: Reviewed): Rule[] =>
  normal(
    resourceRules.map(({ verbs, apiGroups = [], resources = [], resourceNames = [] }) => ({
      apiGroups,
      resources,
      verbs,
      ...(resourceNames.length > 0 && { resourceNames }),
    })),
  );
