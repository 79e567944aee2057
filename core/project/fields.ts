// What may be said of a project, field by field.
import * as z from "zod";
import { type ID, idOf } from "../id.ts";
import { parse, units, unitsOf } from "./quantity.ts";

export const name = z
  .string()
  .regex(
    /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/,
    "must be 1 to 63 lower-case letters, digits and inner dashes, a letter first",
  )
  .refine((text) => !/^(kube-|berth-|default$)/.test(text), "must not be default, nor begin with kube- or berth-");
export const title = z.string().trim().min(1).max(100);
const label = /^([a-zA-Z0-9]([-._a-zA-Z0-9]{0,61}[a-zA-Z0-9])?)?$/;
const labelKey = /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[a-zA-Z0-9]([-._a-zA-Z0-9]{0,61}[a-zA-Z0-9])?$/;
const few = (labels: object): boolean => Object.keys(labels).length <= 32;
/** Labels of the project's own. Those that mean something to Kubernetes or to Berth are not for it to say. */
export const Labels = z
  .record(
    z
      .string()
      .regex(labelKey, "must be a Kubernetes label key")
      .refine(
        (key) => !/^(([^/]*\.)?(kubernetes\.io|k8s\.io|berth\.dev))\//.test(key),
        "must not be of kubernetes.io, k8s.io or berth.dev",
      ),
    z.string().regex(label, "must be a Kubernetes label value"),
  )
  .refine(few, "must have 32 entries at most");
/** Which Pods are meant: by any labels. */
const Selector = z
  .record(
    z.string().regex(labelKey, "must be a Kubernetes label key"),
    z.string().regex(label, "must be a Kubernetes label value"),
  )
  .refine(few, "must have 32 entries at most");

/**
 * A Kubernetes quantity: `500m`, `2`, `1.5`, `64Gi`, `1e3`. What is finer than what can be given out is refused here, so
 * that no share of it is ever rounded.
 */
const quantity = (unit: bigint, example: string, finest: string) =>
  z
    .string()
    .max(40)
    .refine((text) => parse(text) !== undefined, `must be a Kubernetes quantity such as ${example}`)
    .refine((text) => {
      const amount = parse(text);
      return amount === undefined || unitsOf(amount, unit) !== undefined;
    }, `must be in whole ${finest}`);
const cpu = quantity(units.milli, "500m or 2", "thousandths of a CPU");
const bytes = quantity(units.whole, "512Mi or 64Gi", "bytes");

/** The whole project's limit, over all of its clusters; what is left out is not limited. */
export const Limits = z
  .strictObject({
    /** Of requests; limits are not counted, as a Pod that bursts takes nothing away from others. */
    cpu,
    memory: bytes,
    storage: bytes,
    pods: z.number().int().min(0).max(1_000_000),
    services: z.number().int().min(0).max(100_000),
    loadBalancers: z.number().int().min(0).max(10_000),
    volumes: z.number().int().min(0).max(100_000),
  })
  .partial();
export type Limits = z.output<typeof Limits>;

/** What a container gets that says nothing itself (a LimitRange). */
export const Defaults = z
  .strictObject({ cpuRequest: cpu, cpuLimit: cpu, memoryRequest: bytes, memoryLimit: bytes })
  .partial()
  .superRefine(({ cpuRequest, cpuLimit, memoryRequest, memoryLimit }, { addIssue }) => {
    const above = (request = "", limit = ""): boolean => {
      const [asked, most] = [parse(request), parse(limit)];
      return asked !== undefined && most !== undefined && asked.nanos > most.nanos;
    };
    const message = "must not be above the limit";
    if (above(cpuRequest, cpuLimit)) addIssue({ code: "custom", path: ["cpuRequest"], message });
    if (above(memoryRequest, memoryLimit)) addIssue({ code: "custom", path: ["memoryRequest"], message });
  });

/** What stands for an IPv4 address in IPv6's clothes would match nothing. */
const cidr = z
  .union([z.cidrv4(), z.cidrv6()], { error: "must be a CIDR range such as 10.0.0.0/8" })
  .refine((range) => !/^::ffff:/i.test(range), "must be written as an IPv4 range");
const port = z.strictObject({
  protocol: z.enum(["TCP", "UDP", "SCTP"]).default("TCP"),
  port: z.number().int().min(1).max(65_535),
});
/** A way through the default deny, by name. */
export const Opening = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$/, "must be 1 to 40 lower-case letters, digits and inner dashes"),
  direction: z.enum(["ingress", "egress"]),
  /** Where it comes from or goes to: another project, all namespaces of the cluster, or a range of addresses. */
  peer: z.union(
    [
      z.strictObject({ project: idOf("project") }),
      z.strictObject({ namespaces: z.literal("all") }),
      z.strictObject({ cidr }),
    ],
    { error: 'must be {project: its id}, {namespaces: "all"} or {cidr: a range such as 10.0.0.0/8}' },
  ),
  /** Which Pods of the project; left out, all. */
  pods: Selector.optional(),
  /** Left out, all. */
  ports: z.array(port).min(1).max(20).optional(),
});
export type Opening = z.output<typeof Opening>;
const openings = z
  .array(Opening)
  .max(30)
  .refine((all) => new Set(all.map(({ name: one }) => one)).size === all.length, "must have each name once");

export const weight = z.number().int().min(0).max(1_000);
export const placesOf = <S extends z.ZodType<{ cluster: ID<"cluster"> }>>(place: S) =>
  z
    .array(place)
    .max(90)
    .refine((all) => new Set(all.map(({ cluster }) => cluster)).size === all.length, "must name each cluster once");
export const places = placesOf(z.strictObject({ cluster: idOf("cluster"), weight: weight.default(1) }));

export const Policy = z.strictObject({
  /** `isolated`: nothing comes in or goes out but within the namespace, to DNS, and by the openings. */
  mode: z.enum(["isolated", "open"]).default("isolated"),
  openings: openings.default([]),
});
