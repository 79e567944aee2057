// The API's own description, read as a walk needs it: every route, every place in it where an id may stand, and a
// request for each that is in good form. Nothing here knows a route by name.
import { type Noun, prefixes } from "#core/id.ts";
import type { Permission } from "#core/allow.ts";

/** The part of JSON Schema that the description uses. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: Schema | boolean;
  propertyNames?: Schema;
  items?: Schema;
  pattern?: string;
  format?: string;
  default?: unknown;
  minimum?: number;
  minItems?: number;
  minLength?: number;
}

export interface Route {
  method: string;
  path: string;
  operationId: string;
  permission: Permission | "member" | "public";
  params: { name: string; schema: Schema }[];
  query: { name: string; schema: Schema; required?: boolean }[];
  headers: { name: string }[];
  body: Schema | undefined;
}

export interface Walk {
  routes: Route[];
  schemas: Record<string, Schema>;
}

interface Operation {
  "x-permission"?: Route["permission"];
  operationId: string;
  parameters?: { name: string; in: string; schema: Schema; required?: boolean }[];
  requestBody?: { content: Record<string, { schema: Schema }> };
}

/** @param text the OpenAPI document, as it is served. */
export function walkOf(text: string): Walk {
  const document = JSON.parse(text) as {
    paths: Record<string, Record<string, Operation>>;
    components: { schemas: Record<string, Schema> };
  };
  const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId, parameters = [], requestBody, ...more }]) => ({
      method: method.toUpperCase(),
      path,
      operationId,
      permission: more["x-permission"] ?? ("" as never),
      params: parameters.filter((each) => each.in === "path"),
      query: parameters.filter((each) => each.in === "query"),
      headers: parameters.filter((each) => each.in === "header"),
      body: Object.values(requestBody?.content ?? {})[0]?.schema,
    })),
  );
  return { routes, schemas: document.components.schemas };
}

/** A request in good form. Ids are what `id` says; the places where one stands are told with it. */
export interface Request {
  path: string;
  query: string;
  body: unknown;
}
/** Tells the id for a place, such as `path.id`, `query.member` or `body.members.0`. */
export type Fill = (noun: Noun, place: string) => string;

const later = "2027-01-01T00:00:00.000Z";
/** Texts of which one is in almost every form that the API asks for. */
const texts = "sample Sample get 10.113.0.0/16 https://sample.test/ a@sample.test 1.34 true 1 500m 1Gi 8080 *"
  .split(" ")
  .concat(later, "x".repeat(43), "x".repeat(64));

/** What no schema can say: of several fields one must be there, or not be empty. */
const more: Record<string, object> = {
  linkIdentity: { provider: "sso", idToken: "x.y.z" },
  createGroup: { rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }] },
};

const pattern = /^\^([a-z]{3})_/;
const nounIn = (schema: Schema): Noun | undefined => {
  const prefix = pattern.exec(schema.pattern ?? "")?.[1];
  return (Object.keys(prefixes) as Noun[]).find((noun) => prefixes[noun] === prefix);
};

/**
 * One request of a route. What is optional is left out, but for ids and what holds one.
 * @param turn which of several forms is taken where there are some.
 */
export function request(route: Route, schemas: Walk["schemas"], fill: Fill, turn = 0): Request {
  const deref = (schema: Schema): Schema =>
    schema.$ref === undefined ? schema : (schemas[schema.$ref.split("/").at(-1) ?? ""] ?? {});
  const forms = (schema: Schema): Schema[] => schema.anyOf ?? schema.oneOf ?? [];
  const holds = (given: Schema, depth = 0): boolean => {
    const schema = deref(given);
    if (depth > 6) return false;
    const inner = [
      ...forms(schema),
      ...Object.values(schema.properties ?? {}),
      ...(schema.items ? [schema.items] : []),
    ];
    return nounIn(schema) !== undefined || inner.some((each) => holds(each, depth + 1));
  };
  const text = (schema: Schema): string => {
    const fits = (each: string): boolean =>
      new RegExp(schema.pattern ?? "", "u").test(each) && each.length >= (schema.minLength ?? 0);
    if (schema.format === "date-time") return later;
    if (schema.format === "uri") return "https://sample.test/";
    return texts.find(fits) ?? "sample";
  };
  const make = (given: Schema, place: string, depth = 0): unknown => {
    const schema = deref(given);
    const noun = nounIn(schema);
    if (noun !== undefined) return fill(noun, place);
    if (schema.const !== undefined) return schema.const;
    if (schema.enum !== undefined) return schema.enum[0];
    const some = forms(schema);
    if (some.length > 0) {
      const better = some.filter((each) => holds(each));
      const from = better.length > 0 ? better : some;
      return make(from[turn % from.length] ?? {}, place, depth + 1);
    }
    if (schema.allOf !== undefined)
      return Object.assign({}, ...schema.allOf.map((each) => make(each, place, depth + 1))) as unknown;
    if (depth > 8) return null;
    switch (Array.isArray(schema.type) ? schema.type[0] : schema.type) {
      case "object": {
        const wanted = Object.entries(schema.properties ?? {}).filter(
          ([name, each]) => (schema.required ?? []).includes(name) || holds(each),
        );
        // What changes nothing is no change: where nothing must be said, the first that may be is.
        if (depth === 0 && wanted.length === 0) wanted.push(...Object.entries(schema.properties ?? {}).slice(0, 1));
        return Object.fromEntries(wanted.map(([name, each]) => [name, make(each, `${place}.${name}`, depth + 1)]));
      }
      case "array":
        return (schema.minItems ?? 0) > 0 || holds(schema.items ?? {})
          ? [make(schema.items ?? {}, `${place}.0`, depth + 1)]
          : [];
      case "integer":
      case "number":
        return Math.max(1, schema.minimum ?? 1);
      case "boolean":
        return true;
      default:
        return text(schema);
    }
  };
  const path = route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const { schema = {} } = route.params.find((each) => each.name === name) ?? {};
    const before =
      route.path
        .slice(0, route.path.indexOf(`{${name}}`))
        .split("/")
        .at(-2) ?? "";
    const noun = nounOfPath(deref(schema), before, schemas, name);
    if (noun !== undefined) return fill(noun, `path.${name}`);
    // The rest of a path is a cluster's own.
    return name === "path" ? "api/v1/namespaces" : encodeURIComponent(text(deref(schema)));
  });
  const asked = route.query
    .filter(({ schema, required }) => holds(schema) || required === true)
    .map(({ name, schema }) => `${name}=${encodeURIComponent(String(make(schema, `query.${name}`)))}`);
  return {
    path,
    query: asked.length === 0 ? "" : `?${asked.join("&")}`,
    body:
      route.body === undefined || route.method === "GET"
        ? undefined
        : Object.assign({}, make(route.body, "body"), more[route.operationId]),
  };
}

/** The noun of a path's part: by its schema, or, where that takes names too, by the word before it or its own. */
function nounOfPath(schema: Schema, before: string, schemas: Walk["schemas"], name: string): Noun | undefined {
  const found = [schema, ...(schema.anyOf ?? []), ...(schema.oneOf ?? [])].map((each) =>
    nounIn(each.$ref === undefined ? each : (schemas[each.$ref.split("/").at(-1) ?? ""] ?? {})),
  );
  if (name === "id" && before === "parked") return "cluster";
  const told = [before.replace(/s$/, ""), name].find((word) => word in prefixes) as Noun | undefined;
  return found.find((noun) => noun !== undefined) ?? told;
}

/** The places of a route where an id may stand, each with its noun. */
export function places(route: Route, schemas: Walk["schemas"], turn = 0): { place: string; noun: Noun }[] {
  const found: { place: string; noun: Noun }[] = [];
  request(
    route,
    schemas,
    (noun, place) => {
      found.push({ place, noun });
      return "x";
    },
    turn,
  );
  return found;
}
