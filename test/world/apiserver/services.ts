import { KubeFault, type Manifest } from "#core/context.ts";
import { type Fields, isFields } from "./merge.ts";

/** What a server may give to Services. Node ports are both included. */
export interface Ranges {
  /** Such as `10.97.0.0/24`. */
  services: string;
  nodePorts: readonly [number, number];
}

/**
 * A Service with what a server adds: addresses and node ports, the given ones kept.
 * @param others all other Services of that server.
 * @throws KubeFault `invalid` for an address or port that is taken or outside of its range.
 */
export function withAddresses(service: Manifest, others: Manifest[], ranges: Ranges): Manifest {
  const spec = specOf(service);
  const type = spec["type"] ?? "ClusterIP";
  const clusterIP = spec["clusterIP"] === undefined ? freeAddress(others, ranges) : String(spec["clusterIP"]);
  if (spec["clusterIP"] !== undefined && clusterIP !== "None") checkAddress(clusterIP, others, ranges);
  const taken = new Set(others.flatMap(nodePortsOf));
  for (const port of nodePortsOf(service)) {
    const [first, last] = ranges.nodePorts;
    if (taken.has(port) || port < first || port > last) throw invalid("spec.ports.nodePort");
    taken.add(port);
  }
  const ports = portsOf(service).map((port) => {
    const full: Fields = { protocol: "TCP", targetPort: port["port"], ...port };
    if (type === "ClusterIP") return full;
    const nodePort = full["nodePort"] ?? freePort(taken, ranges);
    taken.add(Number(nodePort));
    return { ...full, nodePort };
  });
  return {
    ...service,
    spec: {
      sessionAffinity: "None",
      internalTrafficPolicy: "Cluster",
      ...(type === "ClusterIP" ? {} : { externalTrafficPolicy: "Cluster" }),
      ipFamilies: ["IPv4"],
      ipFamilyPolicy: "SingleStack",
      ...spec,
      type,
      clusterIP,
      clusterIPs: [clusterIP],
      ports,
    },
    status: service["status"] ?? { loadBalancer: {} },
  };
}

const specOf = (service: Manifest): Fields => (isFields(service["spec"]) ? service["spec"] : {});

function portsOf(service: Manifest): Fields[] {
  const ports = specOf(service)["ports"];
  return Array.isArray(ports) ? ports.filter(isFields) : [];
}

const nodePortsOf = (service: Manifest): number[] =>
  portsOf(service).flatMap(({ nodePort }) => (typeof nodePort === "number" ? [nodePort] : []));

const addressesOf = (services: Manifest[]): Set<unknown> => new Set(services.map((one) => specOf(one)["clusterIP"]));

// The first address of the range is the Service `kubernetes` of every server; network and broadcast are no addresses.
function freeAddress(others: Manifest[], ranges: Ranges): string {
  const taken = addressesOf(others);
  const { base, size } = rangeOf(ranges.services);
  for (let index = 2; index < size - 1; index++) {
    const address = textOf(base + index);
    if (!taken.has(address)) return address;
  }
  throw new KubeFault("unavailable", "no address of a Service is free", { status: 500 });
}

function checkAddress(address: string, others: Manifest[], ranges: Ranges): void {
  const { base, size } = rangeOf(ranges.services);
  const index = numberOf(address) - base;
  if (addressesOf(others).has(address) || !(index > 1 && index < size - 1)) throw invalid("spec.clusterIPs");
}

function freePort(taken: Set<number>, { nodePorts: [first, last] }: Ranges): number {
  for (let port = first; port <= last; port++) if (!taken.has(port)) return port;
  throw new KubeFault("unavailable", "no node port is free", { status: 500 });
}

function rangeOf(cidr: string): { base: number; size: number } {
  const [address = "", bits = "32"] = cidr.split("/");
  return { base: numberOf(address), size: 2 ** (32 - Number(bits)) };
}

const numberOf = (address: string): number => address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
const textOf = (number: number): string => [24, 16, 8, 0].map((bits) => (number >>> bits) & 255).join(".");

const invalid = (field: string): KubeFault =>
  new KubeFault("invalid", `Service: 422 Invalid ${field} FieldValueInvalid`, { status: 422 });
