/** A number from 0 to 1 (not included) for what it is asked for, by name. */
export type Dice = (...name: (string | number)[]) => number;

/**
 * Chance without a state: a roll depends on the seed and its name alone. So a fault that is left out moves no other
 * roll, and a failing run can be made shorter one fault at a time.
 */
export function newDice(seed: number): Dice {
  return (...name) => mixed(name.join("/"), seed) / 2 ** 32;
}

/** FNV-1a, and Murmur's last step, without which neighbours would roll alike. */
function mixed(text: string, seed: number): number {
  let hash = (0x811c9dc5 ^ Math.imul(seed + 1, 0x9e3779b1)) >>> 0;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35) >>> 0;
  return (hash ^ (hash >>> 16)) >>> 0;
}

export const between = (roll: number, low: number, high: number): number => low + roll * (high - low);

/** @throws Error for an empty list. */
export function one<T>(roll: number, of: readonly T[]): T {
  const found = of[Math.floor(roll * of.length)];
  if (found === undefined) throw new Error("there is nothing to choose from");
  return found;
}
