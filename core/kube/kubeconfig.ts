import { createPrivateKey, X509Certificate } from "node:crypto";
import ipaddr from "ipaddr.js";
import { parse } from "yaml";
import * as z from "zod";
import type { Target } from "../context.ts";
import { Fault, type FieldFault } from "../error.ts";

/**
 * The API server and the identity that a kubeconfig's current context names. It takes only what can neither run a
 * program, read a file nor go another way: `server` (https), `certificate-authority-data`, `tls-server-name`, and for
 * the user `token`, or `client-certificate-data` with `client-key-data`. All else, anywhere in the text, is refused.
 * No fault quotes a value.
 * @throws Fault `invalid`, with every field that is wrong, such as `users.0.user.exec`.
 */
export function parseKubeconfig(text: string): Target {
  const result = Kubeconfig.safeParse(read(text));
  if (!result.success) throw refusal(result.error.issues.flatMap(faultsOf));
  const { clusters, contexts, users } = result.data;
  const context = contexts.find(({ name }) => name === result.data["current-context"])?.context;
  if (context === undefined) throw refusal([{ field: "current-context", message: "must name one of the contexts" }]);
  const cluster = clusters.find(({ name }) => name === context.cluster)?.cluster;
  const user = users.find(({ name }) => name === context.user)?.user;
  if (cluster === undefined || user === undefined) {
    const field = cluster === undefined ? "cluster" : "user";
    throw refusal([{ field: `contexts.${field}`, message: `must name one of the ${field}s` }]);
  }
  const serverName = cluster["tls-server-name"];
  return {
    server: cluster.server,
    authority: cluster["certificate-authority-data"],
    ...(serverName === undefined ? {} : { serverName }),
    user,
  };
}

const encoded = z.string().transform((text, ctx) => {
  const bytes = Buffer.from(text, "base64");
  if (bytes.length === 0 || bytes.toString("base64") !== text.replaceAll(/\s/g, "")) {
    ctx.addIssue("must be base64 of a PEM text");
    return z.NEVER;
  }
  return bytes.toString();
});
const certificates = encoded.refine(areCertificates, "must be base64 of PEM certificates");
const key = encoded.refine(isKey, "must be base64 of a PEM private key");

const server = z.string().transform((text, ctx) => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const rest = url && url.username + url.password + url.search + url.hash + url.pathname.replace(/^\/$/, "");
  if (url?.protocol !== "https:" || rest !== "") {
    ctx.addIssue("must be https://address:port and nothing more");
    return z.NEVER;
  }
  if (isOurs(url.hostname)) {
    ctx.addIssue("must not be an address that has a meaning on one machine or link alone");
    return z.NEVER;
  }
  return `https://${url.hostname}:${url.port === "" ? 443 : url.port}`;
});

/** Where clouds keep what they tell each machine about itself, beside the link-local ones. */
const metadata = ipaddr.parse("fd00:ec2::254");
/**
 * Whether it is the function's own surroundings that would be asked, such as a cloud's metadata service. Loopback is
 * not among them: it is how a host on one's own machine is reached. A name is not looked up here.
 */
function isOurs(hostname: string): boolean {
  const text = hostname.replace(/^\[|\]$/g, "");
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.process(text);
  if (address.toString() === metadata.toString()) return true;
  return ["linkLocal", "unspecified", "multicast", "broadcast"].includes(address.range());
}

const Cluster = z.strictObject({
  server,
  "certificate-authority-data": certificates,
  "tls-server-name": z
    .string()
    .regex(/^[a-zA-Z0-9]([-.a-zA-Z0-9]{0,251}[a-zA-Z0-9])?$/, "must be a host name")
    .optional(),
});

const User = z
  .strictObject({
    token: z
      .string()
      .regex(/^[\x21-\x7e]{1,16384}$/, "must be one word")
      .optional(),
    "client-certificate-data": certificates.optional(),
    "client-key-data": key.optional(),
  })
  .transform((user, ctx): Target["user"] => {
    const { token, "client-certificate-data": certificate, "client-key-data": key } = user;
    if (token !== undefined && certificate === undefined && key === undefined) return { token };
    if (token === undefined && certificate !== undefined && key !== undefined) {
      if (new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))) return { certificate, key };
      ctx.addIssue({ code: "custom", path: ["client-key-data"], message: "must be the certificate's key" });
      return z.NEVER;
    }
    ctx.addIssue("must have either token, or client-certificate-data and client-key-data");
    return z.NEVER;
  });

const Kubeconfig = z.strictObject({
  apiVersion: z.literal("v1").optional(),
  kind: z.literal("Config").optional(),
  preferences: z.strictObject({}).optional(),
  clusters: z.array(z.strictObject({ name: z.string(), cluster: Cluster })).max(100),
  users: z.array(z.strictObject({ name: z.string(), user: User })).max(100),
  contexts: z
    .array(
      z.strictObject({
        name: z.string(),
        context: z.strictObject({ cluster: z.string(), user: z.string(), namespace: z.string().optional() }),
      }),
    )
    .max(100),
  "current-context": z.string(),
});

/** Why a field that kubectl knows is not taken. */
const reasons: Record<string, string> = {
  exec: "would run a program",
  "auth-provider": "would run a program",
  tokenFile: "would read a file; use `kubectl config view --raw --flatten --minify`",
  "certificate-authority": "would read a file; use `kubectl config view --raw --flatten --minify`",
  "client-certificate": "would read a file; use `kubectl config view --raw --flatten --minify`",
  "client-key": "would read a file; use `kubectl config view --raw --flatten --minify`",
  "proxy-url": "would go another way",
  "insecure-skip-tls-verify": "would trust any server",
};

function read(text: string): unknown {
  try {
    return parse(text, { logLevel: "silent" });
  } catch {
    // The parser's error quotes the text, which holds secrets: it is not kept as the cause.
    throw refusal([{ field: "", message: "must be one YAML document" }]);
  }
}

const refusal = (errors: FieldFault[]): Fault =>
  new Fault("invalid", "The kubeconfig is not one that can be used.", { errors });

function faultsOf(issue: z.core.$ZodIssue): FieldFault[] {
  const path = issue.path.map(String);
  if (issue.code !== "unrecognized_keys") return [{ field: path.join("."), message: issue.message }];
  return issue.keys.map((key) => ({
    field: [...path, key].join("."),
    message: `is refused: it ${Object.hasOwn(reasons, key) ? reasons[key] : "is not known here"}`,
  }));
}

function areCertificates(text: string): boolean {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.length > 0 && blocks.every((block) => attempt(() => new X509Certificate(block)));
}

function isKey(text: string): boolean {
  return attempt(() => createPrivateKey(text));
}

function attempt(make: () => unknown): boolean {
  try {
    make();
    return true;
  } catch {
    return false;
  }
}
