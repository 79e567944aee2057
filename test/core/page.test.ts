import fc from "fast-check";
import { expect, test } from "vitest";
import { collect, decodeCursor, encodeCursor, limitMax, type Page, type PageInput, pages, sift } from "#core/page.ts";

/** A list of the numbers 1 to `count`, which counts what is read of it. */
function newList(count: number) {
  const list = {
    looked: 0,
    calls: 0,
    read: async ({ limit = 50, after }: PageInput): Promise<Page<number>> => {
      const from = after === undefined ? 0 : Number(decodeCursor(after));
      const items = Array.from({ length: Math.max(0, Math.min(limit, count - from)) }, (_, at) => from + at + 1);
      list.looked += items.length;
      list.calls += 1;
      const to = from + items.length;
      return { items, next: to < count ? encodeCursor(String(to)) : null };
    },
  };
  return list;
}

test("followed to its end, a sifted list has every row that is wanted once, in order, in pages within the limit", () =>
  fc.assert(
    fc.asyncProperty(
      fc.nat(700),
      fc.integer({ min: 1, max: 100 }),
      fc.integer({ min: 1, max: 60 }),
      async (n, limit, each) => {
        const list = newList(n);
        const found: number[] = [];
        for (let after: string | undefined; ; ) {
          const page = await sift(list.read, (row) => row % each === 0, { limit, after });
          expect(page.items.length).toBeLessThanOrEqual(limit);
          found.push(...page.items);
          if (page.next === null) break;
          after = page.next;
        }
        expect(found).toEqual(Array.from({ length: Math.floor(n / each) }, (_, at) => (at + 1) * each));
      },
    ),
    { seed: 4, numRuns: 200 },
  ));

test("looks at 1,000 rows at most, and then answers what it found with the way on", async () => {
  const list = newList(5_000);
  const page = await sift(list.read, (row) => row === 7 || row === 1_500, { limit: 2 });
  expect(page.items).toEqual([7]);
  expect(decodeCursor(page.next ?? "")).toBe("1000");
  expect([list.looked, list.calls]).toEqual([1_000, 10]);
});

test("reads anew only the page that holds more than there is room for", async () => {
  const list = newList(250);
  const page = await sift(list.read, (row) => row % 10 === 0, { limit: 3 });
  expect(page.items).toEqual([10, 20, 30]);
  expect(decodeCursor(page.next ?? "")).toBe("30");
  expect(list.calls).toBe(2);
});

test("a list is followed from its first page to its last, each read once and in order; an empty one is one page", async () => {
  for (const count of [0, 1, limitMax, limitMax + 1, 3 * limitMax]) {
    const list = newList(count);
    expect(await collect(list.read)).toEqual(Array.from({ length: count }, (_, at) => at + 1));
    expect([list.calls, list.looked]).toEqual([Math.max(1, Math.ceil(count / limitMax)), count]);
  }
});

test("a page is read when the one before it was used, and none after who has seen enough", async () => {
  const list = newList(1_000);
  const calls: number[] = [];
  for await (const some of pages(list.read)) {
    calls.push(list.calls);
    if (some.includes(250)) break;
  }
  expect(calls).toEqual([1, 2, 3]);
  expect(list.calls).toBe(3);
});

test("what a page is refused with ends the walk with it, and what was read before stays", async () => {
  const list = newList(1_000);
  const seen: number[] = [];
  const read = (page: PageInput): Promise<Page<number>> =>
    list.calls < 2 ? list.read(page) : Promise.reject(new Error("the table does not answer"));
  const walk = async (): Promise<void> => {
    for await (const some of pages(read)) seen.push(...some);
  };
  await expect(walk()).rejects.toThrow("the table does not answer");
  expect(seen).toHaveLength(2 * limitMax);
});
