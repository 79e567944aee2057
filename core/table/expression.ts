import type { TransactWriteCommandInput, UpdateCommandInput } from "@aws-sdk/lib-dynamodb";
import type { Change, Edit, When } from "../context.ts";
import { keyOf, secondsOf, ttlAttribute } from "./layout.ts";
import { written } from "./place.ts";

type Item = NonNullable<TransactWriteCommandInput["TransactItems"]>[number];
export type Update = Pick<
  UpdateCommandInput,
  "Key" | "ExpressionAttributeNames" | "ExpressionAttributeValues" | "ConditionExpression"
> & { UpdateExpression: string };

/** Collects names and values; every name is an alias, so none can be a reserved word or a path. */
class Slots {
  readonly names: Record<string, string> = {};
  readonly values: Record<string, unknown> = {};
  name(name: string): string {
    const known = Object.entries(this.names).find(([, text]) => text === name);
    const slot = known?.[0] ?? `#n${Object.keys(this.names).length}`;
    this.names[slot] = name;
    return slot;
  }
  value(value: unknown): string {
    const slot = `:v${Object.keys(this.values).length}`;
    this.values[slot] = value;
    return slot;
  }
  /** DynamoDB refuses empty maps. */
  all(): Pick<Update, "ExpressionAttributeNames" | "ExpressionAttributeValues"> {
    return {
      ...(Object.keys(this.names).length > 0 && { ExpressionAttributeNames: this.names }),
      ...(Object.keys(this.values).length > 0 && { ExpressionAttributeValues: this.values }),
    };
  }
}

/** The filter that hides expired rows. */
export function living(now: string): { FilterExpression: string } & ReturnType<Slots["all"]> {
  const slots = new Slots();
  return { FilterExpression: aliveText(slots, now), ...slots.all() };
}

/**
 * One change as DynamoDB takes it, alone or in a transaction. `by` is the random id of a lone write, by which its
 * second try knows the first; a transaction has a token for that and leaves the marks of others alone.
 */
export function itemOf(TableName: string, change: Change, now: string, by?: string): Item {
  const Key = keyOf(change.tenant, change.kind, change.id);
  const slots = new Slots();
  const old = { ReturnValuesOnConditionCheckFailure: "ALL_OLD" } as const;
  if (change.act === "insert") {
    const ConditionExpression = `attribute_not_exists(${slots.name("pk")}) OR ${deadText(slots, now)}`;
    const Item = { ...written(change).set, ...Key, ...(by && { insertedBy: by }) };
    return { Put: { TableName, Item, ConditionExpression, ...slots.all(), ...old } };
  }
  if (change.act === "update" && changesSomething(change.edit ?? {})) {
    return { Update: { TableName, ...updateOf(change, now, by), ...old } };
  }
  const ConditionExpression = conditionText(slots, change, now);
  const condition = ConditionExpression === undefined ? {} : { ConditionExpression, ...slots.all(), ...old };
  if (change.act === "remove") return { Delete: { TableName, Key, ...condition } };
  if (ConditionExpression === undefined) throw new Error(`${change.kind} ${change.id}: a check needs a condition`);
  return { ConditionCheck: { TableName, Key, ConditionExpression, ...slots.all(), ...old } };
}

export function updateOf(change: Change, now: string, by?: string): Update {
  const slots = new Slots();
  const { set, remove, absent } = written(change);
  const sets = Object.entries({ ...set, ...(by && { writtenBy: by }) });
  const adds = Object.entries(change.edit?.add ?? {});
  const clauses = [
    sets.length > 0 && `SET ${sets.map(([name, value]) => `${slots.name(name)} = ${slots.value(value)}`).join(", ")}`,
    remove.length > 0 && `REMOVE ${remove.map((name) => slots.name(name)).join(", ")}`,
    adds.length > 0 && `ADD ${adds.map(([name, count]) => `${slots.name(name)} ${slots.value(count)}`).join(", ")}`,
  ];
  // A write that is sent again after its reply was lost must not count twice: it meets its own mark and is refused.
  const fresh = by && whenText(slots, "writtenBy", { not: by });
  const alone = absent.map((name) => whenText(slots, name, { absent: true }));
  return {
    Key: keyOf(change.tenant, change.kind, change.id),
    UpdateExpression: clauses.filter(Boolean).join(" "),
    ConditionExpression: [conditionText(slots, change, now), ...alone, fresh].filter(Boolean).join(" AND "),
    ...slots.all(),
  };
}

export function changesSomething({ set = {}, remove = [], add = {} }: Edit): boolean {
  return Object.keys(set).length + remove.length + Object.keys(add).length > 0;
}

/** Of an update, remove or check. An expired row counts as one that is not there; one of a newer form is not ours. */
function conditionText(slots: Slots, change: Change, now: string): string | undefined {
  const when = change.edit?.when ?? {};
  const parts = Object.entries(when).map(([name, want]) => whenText(slots, name, want));
  if (change.act === "update") {
    const there = `attribute_exists(${slots.name("pk")})`;
    return [there, `(${aliveText(slots, now)})`, knownText(slots, change), ...parts].join(" AND ");
  }
  if (parts.length === 0) return undefined;
  const met = [`(${aliveText(slots, now)})`, knownText(slots, change), ...parts].join(" AND ");
  return Object.values(when).every(metByNothing) ? `(${met}) OR ${deadText(slots, now)}` : met;
}

function whenText(slots: Slots, name: string, want: When[string]): string {
  const slot = slots.name(name);
  if (typeof want !== "object") return `${slot} = ${slots.value(want)}`;
  if ("absent" in want) return `attribute_not_exists(${slot})`;
  if ("present" in want) return `attribute_exists(${slot})`;
  // DynamoDB orders values of one type only, so a row without the number, or with a text there, is not below.
  if ("below" in want) return `${slot} < ${slots.value(want.below)}`;
  return `(attribute_not_exists(${slot}) OR ${slot} <> ${slots.value(want.not)})`;
}

const metByNothing = (want: When[string]): boolean => typeof want === "object" && ("absent" in want || "not" in want);

const knownText = (slots: Slots, { form = 1 }: Change): string =>
  `(attribute_not_exists(${slots.name("form")}) OR ${slots.name("form")} <= ${slots.value(form)})`;

const aliveText = (slots: Slots, now: string): string =>
  `attribute_not_exists(${slots.name(ttlAttribute)}) OR ${slots.name(ttlAttribute)} > ${slots.value(secondsOf(now))}`;

const deadText = (slots: Slots, now: string): string => `${slots.name(ttlAttribute)} <= ${slots.value(secondsOf(now))}`;
