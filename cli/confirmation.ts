import { note } from "./output.ts";

interface Confirmed {
  confirmation?: { pending: { cluster: string; name: string; why: string }[] };
}

/**
 * Says which clusters do not hold a change of rights yet; it is made there as soon as they can.
 * @param answer of a change, whether it has a confirmation or not.
 */
export function confirmed(answer: object): void {
  const { confirmation } = answer as Confirmed;
  for (const { name, why } of confirmation?.pending ?? []) note(`Not yet confirmed on ${name}: ${why}`);
}
