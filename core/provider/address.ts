// Which addresses identity providers may have. Whoever names an issuer names what our functions connect to, so it must
// lead to the public network, or to where the operator said that it may.
import ipaddr from "ipaddr.js";

/** An address or a URL that is not asked, and why: a sentence for who named it. */
export class Barred extends Error {
  constructor(message: string) {
    super(message);
    this.name = "Barred";
  }
}

const global6 = ipaddr.IPv6.parseCIDR("2000::/3");
/** Where clouds keep what they tell each machine about itself, beside the link-local addresses. */
const metadata = ipaddr.parse("fd00:ec2::254").toString();
/** What has a meaning on one machine or link alone, and what no operator can want to be asked. */
const never: readonly string[] = ["linkLocal", "unspecified", "multicast", "broadcast"];

/**
 * Whether an address is of the public network. All else is not: loopback (where a function's own runtime listens),
 * private, shared, link-local, what is reserved, and every form of IPv6 that carries an address of IPv4 inside.
 */
export function isPublic(text: string): boolean {
  if (!ipaddr.isValid(text)) return false;
  const address = ipaddr.parse(text);
  if (address.range() !== "unicast") return false;
  return address instanceof ipaddr.IPv4 || address.match(global6);
}

/**
 * Whether the operator allows a host or address that is not public.
 * @param allowed names, addresses and CIDRs.
 */
export function isAllowed(text: string, allowed: readonly string[]): boolean {
  if (!ipaddr.isValid(text)) return allowed.includes(text);
  const address = ipaddr.process(text);
  if (never.includes(address.range()) || address.toString() === metadata) return false;
  return allowed.some((each) => {
    if (ipaddr.isValid(each)) return ipaddr.process(each).toString() === address.toString();
    if (!ipaddr.isValidCIDR(each)) return false;
    const [base, bits] = ipaddr.parseCIDR(each);
    return base.kind() === address.kind() && address.match(base, bits);
  });
}

/** The host of a URL as names are looked up: without the brackets of an IPv6 address. */
export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, "");

/**
 * A URL that may be asked, as far as its text tells; what its name leads to is seen when it is looked up.
 * @throws Barred unless it is written in its normal form: https, port 443 (others only where the operator allows the
 * host), no user, no fragment.
 */
export function proper(text: string, allowed: readonly string[]): URL {
  const url = URL.parse(text);
  // Every other way to write an address (decimal, octal, escapes, tabs, backslashes) is not what it is parsed to.
  if (url === null || (url.href !== text && url.href !== `${text}/`))
    throw new Barred("must be a URL in its plain form");
  const host = hostOf(url);
  const known = isAllowed(host, allowed);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && known)) throw new Barred("must begin with https://");
  if (url.username !== "" || url.password !== "") throw new Barred("must not name a user");
  if (url.hash !== "" || text.includes("#")) throw new Barred("must have no fragment");
  if (url.port !== "" && !known) throw new Barred("must be at port 443");
  if (host.endsWith(".")) throw new Barred("must not end its host with a dot");
  if (ipaddr.isValid(host) && !known && !isPublic(host)) throw new Barred("must be at a public address");
  return url;
}
