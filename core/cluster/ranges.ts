import ipaddr from "ipaddr.js";
import type { FieldFault } from "../error.ts";

type Range = [ipaddr.IPv4 | ipaddr.IPv6, number];

const contains = (outer: Range, inner: Range): boolean =>
  outer[0].kind() === inner[0].kind() && outer[1] <= inner[1] && inner[0].match(outer[0], outer[1]);

/** True when two CIDR ranges share an address. */
export function overlap(a: string, b: string): boolean {
  const [first, second] = [ipaddr.parseCIDR(a), ipaddr.parseCIDR(b)] as [Range, Range];
  return contains(first, second) || contains(second, first);
}

/** The first usable address of a range: a cluster's `kubernetes` Service gets it. */
export function firstAddress(cidr: string): string {
  return nth(cidr, 1);
}

/** The tenth address: by custom the cluster's DNS. */
export const dnsAddress = (cidr: string): string => nth(cidr, 10);

function nth(cidr: string, offset: number): string {
  const [address, prefix] = ipaddr.parseCIDR(cidr);
  const network =
    address.kind() === "ipv4"
      ? ipaddr.IPv4.networkAddressFromCIDR(`${address.toString()}/${prefix}`)
      : ipaddr.IPv6.networkAddressFromCIDR(`${address.toString()}/${prefix}`);
  const bytes = network.toByteArray();
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) + offset;
  return ipaddr.fromByteArray(bytes).toString();
}

const kindOf = (cidr: string): string => ipaddr.parseCIDR(cidr)[0].kind();

/** How wide a range must be: Services get at most 2^20 addresses, every machine takes a /24 (or /64) of the Pods'. */
const widths = {
  serviceCIDRs: { ipv4: [12, 26], ipv6: [108, 120] },
  podCIDRs: { ipv4: [8, 23], ipv6: [40, 63] },
} as const;

/**
 * Everything that is wrong with a cluster's ranges, each with its field.
 * @param taken named ranges that must stay clear of them, such as the host's.
 */
export function rangeFaults(
  ranges: { serviceCIDRs: string[]; podCIDRs: string[] },
  taken: { name: string; cidr: string }[] = [],
): FieldFault[] {
  const faults: FieldFault[] = [];
  const all: { field: string; cidr: string }[] = [];
  for (const name of ["serviceCIDRs", "podCIDRs"] as const) {
    ranges[name].forEach((cidr, index) => {
      const field = `${name}.${index}`;
      const [address, prefix] = ipaddr.parseCIDR(cidr);
      const [widest, narrowest] = widths[name][address.kind()];
      if (prefix < widest || prefix > narrowest) {
        faults.push({ field, message: `must have a prefix from /${widest} to /${narrowest}, not /${prefix}` });
      }
      if (["loopback", "linkLocal", "multicast", "unspecified", "broadcast"].includes(address.range())) {
        faults.push({ field, message: `${cidr} is ${address.range()} and can't be routed` });
      }
      if (ranges[name].findIndex((other) => kindOf(other) === kindOf(cidr)) !== index) {
        faults.push({ field, message: "a second range must be of the other IP family" });
      }
      for (const other of [...all.map(({ field: at, cidr: range }) => ({ name: at, cidr: range })), ...taken]) {
        if (overlap(cidr, other.cidr)) faults.push({ field, message: `${cidr} overlaps ${other.name} ${other.cidr}` });
      }
      all.push({ field, cidr });
    });
  }
  const families = (name: "serviceCIDRs" | "podCIDRs"): string => ranges[name].map(kindOf).join(" and ");
  if (families("serviceCIDRs") !== families("podCIDRs")) {
    const message = `must be of the families of serviceCIDRs in the same order (${families("serviceCIDRs")})`;
    faults.push({ field: "podCIDRs", message });
  }
  return faults;
}
