import { request } from "node:https";
import { parse, stringify } from "yaml";
import { apiserverConfig, apiserverFlags, auditPolicy } from "#core/cluster/manifests/apiserver.ts";
import type { Cluster } from "#core/cluster/schema.ts";
import type { Host } from "#core/host/schema.ts";
import type { Target } from "#core/context.ts";
import type { Started } from "../apiserver.ts";
import { here, tenant } from "./people.ts";

/** The flags by which a tenant's API server decides who one is and what one may, and what it writes of it. */
const kept = ["authorization-mode", "enable-admission-plugins", "authentication-config", "audit-policy-file"];

/** A kube-apiserver that decides as tenants' do, and writes its audit into `audit.log`. */
export const asTenants: Started = {
  files: configuration(),
  flags: (file) => [
    ...apiserverFlags({ files: "", config: file(""), etcdURL: "", issuer: "", serviceCIDRs: [] })
      .filter((flag) => kept.some((name) => flag.startsWith(`--${name}=`)))
      .map((flag) => flag.replace("//", "/")),
    `--audit-log-path=${file("audit.log")}`,
  ],
};

function configuration(): Record<string, string> {
  const cluster = { id: here, tenant } as Cluster;
  const { data } = apiserverConfig({ cluster, host: {} as Host } as never) as { data?: Record<string, string> };
  const files = data ?? {};
  if (JSON.stringify(parse(files["audit.yaml"] ?? "")) !== JSON.stringify(auditPolicy))
    throw new Error(stringify(files));
  return files;
}

export interface Said {
  status: number;
  body: Record<string, unknown>;
}

/** One request as whoever a token is of, or with headers of its own. */
export const ask = (
  { server, authority, user, serverName }: Target,
  method: string,
  path: string,
  { body, headers = {} }: { body?: unknown; headers?: Record<string, string> } = {},
): Promise<Said> =>
  new Promise((resolve, reject) => {
    const patch = method === "PATCH" ? "application/merge-patch+json" : "application/json";
    const call = request(server + path, {
      method,
      ca: authority,
      ...("token" in user ? {} : { cert: user.certificate, key: user.key }),
      ...(serverName !== undefined && { servername: serverName }),
      headers: {
        ...("token" in user && { authorization: `Bearer ${user.token}` }),
        ...(body !== undefined && { "content-type": patch }),
        ...headers,
      },
      agent: false,
      timeout: 20_000,
    });
    call.once("response", (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (piece: string) => (text += piece));
      answer.once("error", reject).once("end", () => {
        let parsed: Record<string, unknown> = {};
        try {
          parsed = JSON.parse(text) as Record<string, unknown>;
        } catch {
          // Not every answer is JSON; its status is what counts.
        }
        resolve({ status: answer.statusCode ?? 0, body: parsed });
      });
    });
    call.once("timeout", () => call.destroy(new Error("no answer")));
    call.once("error", reject);
    call.end(body === undefined ? undefined : JSON.stringify(body));
  });
