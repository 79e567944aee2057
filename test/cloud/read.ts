// Reads the graph as sst.config.ts is written.
import type { Graph } from "./graph.ts";
import type { Right } from "./rights.ts";

export type Resource = Graph["resources"][number];
type Inputs = Resource["inputs"];

export const of = (graph: Graph, type: string): Resource[] => graph.resources.filter((each) => each.type === type);

/** @throws Error when there is not exactly one. */
export function one(graph: Graph, type: string, name: string): Inputs {
  const [found, ...more] = of(graph, type).filter((each) => each.name === name);
  if (found === undefined || more.length > 0) throw new Error(`not exactly one of ${type} is named ${name}`);
  return found.inputs;
}

/** What stands at a path such as `target.arn`. */
export const at = (value: unknown, path: string): unknown =>
  path.split(".").reduce((found, key) => (found as Record<string, unknown> | undefined)?.[key], value);

/** SST names a function by what it belongs to; this is the name it has in sst.config.ts. */
export const short = (name: string): string =>
  name.startsWith("JobsSubscriber") ? "Queue" : name.replace(/(Handler)?(Role|Function)$/, "");

export const functionsOf = (graph: Graph): Record<string, Inputs> =>
  Object.fromEntries(of(graph, "aws:lambda/function:Function").map(({ name, inputs }) => [short(name), inputs]));

interface Statement {
  actions: string[];
  resources: string[];
  conditions?: { test: string; variable: string; values: string[] }[];
}

/** What a role's own policy grants, one line per action and resource. */
export function rightsOf(inputs: Inputs): Right[] {
  return (inputs["inlinePolicies"] as { policy: string }[]).flatMap(({ policy }) =>
    (JSON.parse(policy) as Statement[]).flatMap(({ actions, resources, conditions = [] }) => {
      const held = conditions.map(({ test, variable, values }) =>
        test === "Null" && values[0] === "false" ? `${variable} is there` : `${variable} is ${values.join(" or ")}`,
      );
      return actions.flatMap((action) =>
        resources.map((resource) => {
          const on = resource.split("/").slice(1).join("/");
          const named = on.replace(/^(\w+?)(Table|Queue)/, "$1");
          return `${action} on ${named}${held.length > 0 ? ` if ${held.join(" and ")}` : ""}`;
        }),
      );
    }),
  );
}

/** The router's routes, from what is written for the edge: `url,<id>,<host pattern>,<path prefix>`. */
export function routes(graph: Graph): { path: string; door: string; metadata: unknown }[] {
  const dynamic = of(graph, "pulumi-nodejs:dynamic:Resource");
  return dynamic
    .filter(({ name }) => name.endsWith("KvRoutesUpdate"))
    .map(({ inputs }) => {
      const [, id = "", , path = ""] = String(inputs["entry"]).split(",");
      const key = dynamic.find(({ name, inputs: { namespace } }) => name.endsWith("KvKeys") && namespace === id);
      const metadata: unknown = JSON.parse(String(at(key?.inputs, "entries.metadata")));
      // The function's own URL; the router's own would lead in a circle. The site has none, it is files in a bucket.
      const host = at(metadata, "host");
      return { path, door: host === undefined ? "site" : String(host).replace(/url\.lambda-url\.test$/, ""), metadata };
    });
}
