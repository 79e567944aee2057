import { kubeName } from "../id.ts";
import type { Opening } from "./schema.ts";

/**
 * One NetworkPolicy for each opening. The other side may have to open too: both of two isolated projects, the one its
 * egress and the other its ingress.
 * @param label by which a project's namespaces are found.
 */
export const openings = (all: readonly Opening[], label: string): { name: string; spec: object }[] =>
  all.map((opening) => {
    const { direction, pods, ports } = opening;
    const rule = {
      [direction === "ingress" ? "from" : "to"]: [peerOf(opening, label)],
      ...(ports !== undefined && { ports: ports.map(({ protocol, port }) => ({ protocol, port })) }),
    };
    return {
      name: `berth-open-${opening.name}`,
      spec: {
        podSelector: pods === undefined || Object.keys(pods).length === 0 ? {} : { matchLabels: pods },
        policyTypes: [direction === "ingress" ? "Ingress" : "Egress"],
        [direction]: [rule],
      },
    };
  });

function peerOf({ peer, direction }: Opening, label: string): object {
  if ("project" in peer) return { namespaceSelector: { matchLabels: { [label]: kubeName(peer.project) } } };
  if ("namespaces" in peer) return { namespaceSelector: {} };
  // All addresses are meant to be the world's: a cloud answers its machines' credentials at a link-local one. Who wants
  // those names them.
  const except = direction === "egress" ? everywhere[peer.cidr] : undefined;
  return { ipBlock: { cidr: peer.cidr, ...(except !== undefined && { except: [except] }) } };
}

const everywhere: Record<string, string> = { "0.0.0.0/0": "169.254.0.0/16", "::/0": "fe80::/10" };
