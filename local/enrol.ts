// What a new stack needs before it can be used: a tenant with a token, and its host, both through the public API.
import { readFileSync } from "node:fs";
import type { HostInfo } from "./host/info.ts";
import { ranges } from "./host/plane.ts";
import type { paths } from "./settings.ts";
import { read, save } from "./state.ts";

/** A host that is not ours: what its owner says of it. */
export interface Wish extends Pick<HostInfo, "kubeconfig" | "imagePrefix" | "portRange" | "storageClass" | "versions"> {
  /** Left out, the host of its API server. */
  address: string | undefined;
  serviceCIDRs: string[];
  podCIDRs: string[];
}

interface Named {
  id: string;
  name: string;
}
interface Registered extends Named {
  versions: string[];
}

/** Makes what is missing; a repeat changes nothing. */
export async function register(
  server: string,
  files: ReturnType<typeof paths>,
  host: HostInfo | Wish | undefined,
): Promise<void> {
  const staff = read(files.staffToken)?.trim() ?? "";
  if (!(await works(server, read(files.token)?.trim()))) save(files.token, `${await newTenant(server, staff)}\n`);
  if (host === undefined) return;
  const { items } = await call<{ items: Registered[] }>(server, staff, "GET", "/v1/home/hosts?limit=100");
  const found = items.find(({ name }) => name === hostName);
  if (found !== undefined) {
    const { versions } = host;
    if (JSON.stringify(found.versions) === JSON.stringify(versions)) return;
    await call(server, staff, "PATCH", `/v1/home/hosts/${found.id}`, { versions });
    return;
  }
  const [from, to] = host.portRange;
  await call(server, staff, "POST", "/v1/home/hosts", {
    name: hostName,
    region: hostName,
    address: host.address ?? serverOf(host.kubeconfig),
    ports: { from, to },
    versions: host.versions,
    imagePrefix: host.imagePrefix,
    storageClass: host.storageClass,
    serviceCIDRs: "serviceCIDRs" in host ? host.serviceCIDRs : [ranges.services],
    podCIDRs: "podCIDRs" in host ? host.podCIDRs : [ranges.pods],
    kubeconfig: readFileSync(host.kubeconfig, "utf8"),
  });
}

const hostName = "local";
const tenantName = "demo";

const serverOf = (path: string): string => {
  const server = /^\s*server:\s*["']?(\S+?)["']?\s*$/m.exec(readFileSync(path, "utf8"))?.[1];
  const url = server === undefined ? null : URL.parse(server);
  if (url === null) throw new Error(`${path} names no server; say where node ports are reached with --host-address`);
  return url.hostname;
};

const works = async (server: string, token: string | undefined): Promise<boolean> =>
  token !== undefined && (await fetch(`${server}/v1/me`, { headers: { Authorization: `Bearer ${token}` } })).ok;

/** The tenant `demo`, or, when its token was lost, another beside it: a lost token can't be had back. */
async function newTenant(server: string, staff: string): Promise<string> {
  const { items } = await call<{ items: Named[] }>(server, staff, "GET", "/v1/home/tenants?limit=100");
  const taken = new Set(items.map(({ name }) => name));
  let name = tenantName;
  for (let i = 2; taken.has(name); i++) name = `${tenantName}-${i}`;
  const body = { name, title: "Demo", withToken: true };
  return (await call<{ token: string }>(server, staff, "POST", "/v1/home/tenants", body)).token;
}

async function call<T>(server: string, token: string, method: string, path: string, body?: unknown): Promise<T> {
  const answer = await fetch(server + path, {
    method,
    headers: { Authorization: `Bearer ${token}`, ...(body !== undefined && { "Content-Type": "application/json" }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path} was answered ${answer.status}: ${text}`);
  return JSON.parse(text) as T;
}
