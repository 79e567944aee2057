import { Fault } from "#core/error.ts";
import { KubeFault } from "#core/context.ts";
import { type Dice, one } from "./dice.ts";

/** What can go wrong with a call to what is outside of a process. */
export type FaultKind =
  | "dies before"
  | "dies after"
  | "fails"
  | "throttled"
  | "answer lost"
  | "twice"
  | "late"
  | "stale"
  | "slow"
  | "freezes"
  | "overtaken"
  | "outwritten"
  | "lost";

/** A call that a process is about to make. */
export interface Call {
  port: "table" | "index" | "kube" | "watch" | "seal" | "poke";
  what: string;
  writes: boolean;
  /** The cluster that is written, where it is one's alone. */
  about?: string | undefined;
}

/** A fault that was met: `key` names the call in its run. */
export interface Met {
  key: string;
  kind: FaultKind;
  what: string;
}

const any: FaultKind[] = ["dies before", "fails", "slow", "freezes"];
const written: FaultKind[] = ["dies after", "answer lost"];
/** The process stands still until another has its lease, or has written to the host: its own write comes right after. */
const passed: FaultKind[] = ["overtaken", "outwritten"];

/**
 * What can happen to a call. A table's write is never done twice or late: the room names each write and asks the table
 * to do it once (test/contract/table), and what it then says is that it does not know.
 */
export function kindsOf({ port, writes, about }: Call): FaultKind[] {
  const late = about === undefined ? [] : passed;
  switch (port) {
    case "table":
      return [...any, "throttled", ...(writes ? [...written, ...late] : [])];
    case "index":
      return [...any, "throttled", "stale"];
    case "kube":
      return [
        ...any,
        "throttled",
        ...(writes ? ([...written, "twice", "late", ...late] as const) : (["stale"] as const)),
      ];
    case "watch":
      return ["dies before", "fails"];
    case "seal":
      return any;
    case "poke":
      return ["dies before", "dies after", "lost", "twice", "late"];
    default:
      return port satisfies never;
  }
}

/** What decides, for each call by its name, whether and how it fails. */
export type Decide = (key: string, call: Call) => FaultKind | undefined;

/** @param rate which part of the calls meets a fault, just now. */
export const byChance =
  (dice: Dice, rate: () => number): Decide =>
  (key, call) =>
    dice("fault", key) < rate() ? one(dice("kind", key), kindsOf(call)) : undefined;

/** As the port shows a failure to its caller. */
export function faultOf({ port, what }: Call, kind: FaultKind): Error {
  if (port === "kube" || port === "watch") {
    return kind === "throttled"
      ? new KubeFault("throttled", `${what}: 429`, { status: 429, retryAfterSeconds: 1 })
      : new KubeFault("unavailable", `${what}: no answer (${kind})`);
  }
  const message = port === "seal" ? "The key service does not answer." : "The table does not answer.";
  return port === "seal" ? new Error(message) : new Fault("unavailable", message, { retryAfterSeconds: 1 });
}
