// Kubernetes quantities, exactly: no number of ours is ever rounded on its way to a cluster.

/** A quantity in nanos (10⁻⁹), so that every text Kubernetes can hold is a whole number. */
export interface Amount {
  nanos: bigint;
  /** How it was written, and is written again: by thousands or by 1024. */
  base: "decimal" | "binary";
}

const giga = 1_000_000_000n;
const decimals = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
const binaries = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/** A quantity as Kubernetes reads it, without a sign: `500m`, `2`, `1.5`, `64Gi`, `1e3`. */
export const quantity = /^(\d{1,19})(?:\.(\d{1,9}))?(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,2}))?$/;

/** The most that an API server holds without cutting it down to that: 2⁶³ - 1. */
const most = (2n ** 63n - 1n) * giga;

/** @returns undefined for what is no quantity, is finer than a billionth or more than Kubernetes holds. */
export function parse(text: string): Amount | undefined {
  const [whole, digits, fraction = "", suffix = "", exponent] = quantity.exec(text) ?? [];
  if (whole === undefined || digits === undefined) return undefined;
  const mantissa = BigInt(digits + fraction);
  const base = suffix.endsWith("i") ? "binary" : "decimal";
  const ten = base === "binary" ? 9 : exponent === undefined ? 3 * decimals.indexOf(suffix) : 9 + Number(exponent);
  const two = base === "binary" ? 10n * BigInt(binaries.indexOf(suffix)) : 0n;
  const power = ten - fraction.length;
  const scaled = mantissa * 2n ** two * (power > 0 ? 10n ** BigInt(power) : 1n);
  const under = power < 0 ? 10n ** BigInt(-power) : 1n;
  if (scaled % under !== 0n || scaled / under > most) return undefined;
  return { nanos: scaled / under, base };
}

/**
 * The one text by which an API server answers this amount, so that what we wrote and what we read compare as texts.
 * See "Canonical form" at `k8s.io/apimachinery/pkg/api/resource`, Quantity.
 */
export function print({ nanos, base }: Amount): string {
  if (nanos === 0n) return "0";
  // Below 1024, and where it is not whole, Kubernetes writes by thousands what was said by 1024.
  if (base === "binary" && nanos % giga === 0n && nanos >= 1024n * giga) return shortest(nanos / giga, 1024n, binaries);
  return shortest(nanos, 1000n, decimals);
}

function shortest(count: bigint, step: bigint, suffixes: string[]): string {
  let left = count;
  let at = 0;
  for (; left % step === 0n && at < suffixes.length - 1; at += 1) left /= step;
  return `${left}${suffixes[at]}`;
}

/** How many of `unit` nanos it is. @returns undefined when it is not a whole number of them. */
export const unitsOf = ({ nanos }: Amount, unit: bigint): bigint | undefined =>
  nanos % unit === 0n ? nanos / unit : undefined;

/** The smallest parts that are given out, in nanos: a thousandth of a CPU, and a whole of all else. */
export const units = { milli: 1_000_000n, whole: giga } as const;

/** What such texts come to; what is no quantity counts for nothing. Written as the first that is more than nothing. */
export function sum(texts: readonly string[]): string {
  const all = texts.map(parse).filter((amount) => amount !== undefined);
  const nanos = all.reduce((total, amount) => total + amount.nanos, 0n);
  return print({ nanos, base: all.find((amount) => amount.nanos > 0n)?.base ?? "decimal" });
}

/** Whether one quantity is more than another. */
export const isAbove = (one: string, other: string): boolean => (parse(one)?.nanos ?? 0n) > (parse(other)?.nanos ?? 0n);
