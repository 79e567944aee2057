// One bad moment: at the n-th call to table or API server the process dies, or that call alone fails, before or after it
// took effect.
import { KubeFault } from "#core/context.ts";
import type { Outside } from "../world/index.ts";
import { newStand, type Stand } from "./stand.ts";

type Moment = "before" | "after";
export interface Case {
  nth: number;
  when: Moment;
  dies: boolean;
}

const changes = ({ table, kube }: Outside): boolean =>
  ["write", "edit"].includes(table?.act ?? "") || ["create", "apply", "remove", "token"].includes(kube?.verb ?? "");

/** Has bad luck once, and says whether it did. */
export function strike(stand: Stand, { nth, when, dies }: Case): () => boolean {
  let begun = 0;
  let dead = false;
  let struck = false;
  const numbers = new WeakMap<object, number>();
  stand.world.outside = (call) => {
    const one = call.table ?? call.kube ?? {};
    if (call.when === "before") numbers.set(one, (begun += 1));
    if (dead || (numbers.get(one) === nth && call.when === when)) {
      dead = dies;
      struck = true;
      throw call.kube === undefined ? new Error("the store is away") : new KubeFault("unavailable", "no answer");
    }
  };
  return () => struck;
}

/** Which calls there are when all goes well, so that each is met: true for those that change something. */
export async function callsOf(run: (stand: Stand) => Promise<void>, prepare: (stand: Stand) => Promise<unknown>) {
  const stand = await newStand();
  await prepare(stand);
  const calls: boolean[] = [];
  stand.world.outside = (call) => void (call.when === "before" && calls.push(changes(call)));
  await run(stand);
  return calls;
}

/**
 * Each call that changes something, dying and failing by turns, before and after it took effect by turns; and a few
 * that only look. With BERTH_DEEP, every call in every way.
 */
export const casesOf = (calls: boolean[], whole = process.env["BERTH_DEEP"] !== undefined): Case[] => {
  const [looks, writes] = [false, true].map((changing) =>
    calls.flatMap((one, at) => (one === changing ? [at + 1] : [])),
  ) as [number[], number[]];
  if (whole) {
    const both = (nth: number, when: Moment): Case[] => [true, false].map((dies) => ({ nth, when, dies }));
    return [
      ...looks.flatMap((nth) => both(nth, "before")),
      ...writes.flatMap((nth) => [...both(nth, "before"), ...both(nth, "after")]),
    ];
  }
  return [
    ...writes.map((nth, at): Case => ({ nth, when: at % 4 < 2 ? "before" : "after", dies: at % 2 === 0 })),
    ...looks.filter((_, at) => at % 12 === 0).map((nth): Case => ({ nth, when: "before", dies: nth % 2 === 0 })),
  ];
};

/** Work goes on without trouble until it is as wished, for ten minutes at most. */
export async function calm(stand: Stand, reached: () => boolean): Promise<void> {
  await stand.world.drain();
  for (let i = 0; i < 10 && !reached(); i += 1) await stand.world.sweep();
}
