import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { expect, test } from "vitest";
import { dnsAddress, firstAddress, overlap, rangeFaults } from "#core/cluster/ranges.ts";

const v4 = fc
  .tuple(fc.array(fc.nat(255), { minLength: 4, maxLength: 4 }), fc.integer({ min: 8, max: 28 }))
  .map(([bytes, bits]) => `${bytes.join(".")}/${bits}`);
const v6 = fc
  .tuple(fc.array(fc.nat(0xffff), { minLength: 8, maxLength: 8 }), fc.integer({ min: 40, max: 120 }))
  .map(([words, bits]) => `${words.map((word) => word.toString(16)).join(":")}/${bits}`);
const cidr = fc.oneof(v4, v6);
const inside = (range: string, address: string): boolean => {
  const parsed = ipaddr.parse(address);
  const [network, bits] = ipaddr.parseCIDR(range);
  return parsed.kind() === network.kind() && parsed.match(network, bits);
};

test("overlap is the same both ways, and every range overlaps itself", () => {
  fc.assert(
    fc.property(cidr, cidr, (a, b) => {
      expect(overlap(a, b)).toBe(overlap(b, a));
      expect([overlap(a, a), overlap(b, b)]).toEqual([true, true]);
    }),
  );
});

test("a range overlaps every part of it, and no neighbour of the same size", () => {
  fc.assert(
    fc.property(fc.nat(255), fc.integer({ min: 9, max: 24 }), fc.integer({ min: 0, max: 4 }), (byte, bits, deeper) => {
      const size = 2 ** (32 - bits);
      const base = Math.floor((byte * 2 ** 24) / size) * size;
      const text = (number: number): string => [24, 16, 8, 0].map((shift) => (number >>> shift) & 255).join(".");
      expect(overlap(`${text(base)}/${bits}`, `${text(base + size / 2)}/${bits + deeper + 1}`)).toBe(true);
      if (base + 2 * size < 2 ** 32)
        expect(overlap(`${text(base)}/${bits}`, `${text(base + size)}/${bits}`)).toBe(false);
    }),
  );
});

test("ranges of two families never overlap", () => {
  fc.assert(
    fc.property(v4, v6, (a, b) => {
      expect(overlap(a, b)).toBe(false);
    }),
  );
});

test("the first and the DNS address are inside of the range, are the network's 1 and 10, and never are one", () => {
  fc.assert(
    fc.property(cidr, (range) => {
      const [first, dns] = [firstAddress(range), dnsAddress(range)];
      expect([inside(range, first), inside(range, dns), first === dns]).toEqual([true, true, false]);
      const last = (address: string): number => ipaddr.parse(address).toByteArray().at(-1) ?? 0;
      expect(last(dns) - last(first)).toBe(9);
    }),
  );
});

test.each([
  ["10.97.0.0/16", "10.97.0.1", "10.97.0.10"],
  ["10.97.33.7/16", "10.97.0.1", "10.97.0.10"],
  ["fd00:1::/112", "fd00:1::1", "fd00:1::a"],
])("of %s they are %s and %s", (range, first, dns) => {
  expect([firstAddress(range), dnsAddress(range)]).toEqual([first, dns]);
});

const faulty: [string, { serviceCIDRs: string[]; podCIDRs: string[] }, string[]][] = [
  ["Services too wide", { serviceCIDRs: ["10.0.0.0/8"], podCIDRs: ["172.31.0.0/16"] }, ["serviceCIDRs.0"]],
  ["Services too narrow", { serviceCIDRs: ["10.0.0.0/28"], podCIDRs: ["172.31.0.0/16"] }, ["serviceCIDRs.0"]],
  ["Pods too narrow for two machines", { serviceCIDRs: ["10.0.0.0/16"], podCIDRs: ["172.31.0.0/24"] }, ["podCIDRs.0"]],
  ["loopback", { serviceCIDRs: ["127.0.0.0/16"], podCIDRs: ["172.31.0.0/16"] }, ["serviceCIDRs.0"]],
  ["link-local", { serviceCIDRs: ["10.0.0.0/16"], podCIDRs: ["169.254.0.0/16"] }, ["podCIDRs.0"]],
  ["multicast", { serviceCIDRs: ["10.0.0.0/16"], podCIDRs: ["224.0.0.0/16"] }, ["podCIDRs.0"]],
  [
    "two of one family",
    { serviceCIDRs: ["10.0.0.0/16", "10.1.0.0/16"], podCIDRs: ["172.31.0.0/16", "172.30.0.0/16"] },
    ["podCIDRs.1", "serviceCIDRs.1"],
  ],
  ["families that differ", { serviceCIDRs: ["10.0.0.0/16", "fd00::/112"], podCIDRs: ["172.31.0.0/16"] }, ["podCIDRs"]],
  [
    "all at once",
    { serviceCIDRs: ["10.0.0.0/8"], podCIDRs: ["10.4.0.0/24", "fd00::/48"] },
    ["podCIDRs", "podCIDRs.0", "podCIDRs.0", "serviceCIDRs.0"],
  ],
];
test.each(faulty)("%s: every fault is told with its field", (_, ranges, fields) => {
  expect(
    rangeFaults(ranges)
      .map(({ field }) => field)
      .sort(),
  ).toEqual(fields);
});

test("both families side by side are fine, and stay clear of what is taken", () => {
  const ranges = { serviceCIDRs: ["10.97.0.0/16", "fd00:1::/112"], podCIDRs: ["172.31.0.0/16", "fd00:2::/48"] };
  expect(rangeFaults(ranges)).toEqual([]);
  const taken = [
    { name: "the host's Pods", cidr: "172.16.0.0/12" },
    { name: "the host's Services", cidr: "fd00:1::/64" },
  ];
  expect(rangeFaults(ranges, taken)).toEqual([
    { field: "serviceCIDRs.1", message: "fd00:1::/112 overlaps the host's Services fd00:1::/64" },
    { field: "podCIDRs.0", message: "172.31.0.0/16 overlaps the host's Pods 172.16.0.0/12" },
  ]);
});
