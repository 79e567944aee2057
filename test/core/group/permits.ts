import type { Rule } from "#core/group/index.ts";

/** A request as RBAC sees it: `resource` with its subresource, `name` empty where none is named. */
export interface Request {
  group: string;
  resource: string;
  verb: string;
  name: string;
}

/** Whether rules allow one request, as Kubernetes' own evaluator says it, line by line. */
export function permits(rules: readonly Rule[], { group, resource, verb, name }: Request): boolean {
  const sub = resource.split("/")[1];
  return rules.some((rule) => {
    const verbs = rule.verbs.some((one) => one === "*" || one === verb);
    const groups = rule.apiGroups.some((one) => one === "*" || one === group);
    const resources = rule.resources.some(
      (one) => one === "*" || one === resource || (sub !== undefined && one === `*/${sub}`),
    );
    const names = rule.resourceNames === undefined || rule.resourceNames.includes(name);
    return verbs && groups && resources && names;
  });
}

/** `get secrets`, `create apps/deployments/scale`: a request in one text, of any name. */
export function asked(text: string): Request {
  const [verb = "", path = ""] = text.split(" ");
  const [first = "", ...rest] = path.split("/");
  const grouped = first.includes(".") || ["apps", "batch", "autoscaling", "policy"].includes(first);
  return { verb, group: grouped ? first : "", resource: grouped ? rest.join("/") : path, name: "" };
}
