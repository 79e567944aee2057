import { membersNamespace } from "../cluster/index.ts";
import { type Goal, secondsBetween } from "../condition.ts";
import type { Found, Manifest } from "../context.ts";
import { type ID, kubeName } from "../id.ts";
import { altered, drift, ending, keyOf, waves } from "../kube/index.ts";
import { later } from "../lease.ts";
import type { Plan } from "../settle.ts";
import { owed } from "./owed.ts";
import { type Placed, placed, strangers } from "./place.ts";
import type { Access } from "./schema.ts";
import { rightKinds, sightOf } from "./sight.ts";
import type { Seen, Step } from "./step.ts";

const retrySeconds = 60;
/** Nobody tells us when another's namespace goes: it is not ours to hear. */
const takenSeconds = 600;

/** What ought to be done inside of a cluster now. Pure: the same row, sight and time give the same plan. */
export function plan(access: Access, seen: Seen, now: string): Plan<Step> {
  const { objects, rows } = seen;
  const { accounts, wide, bindings } = owed(access, rows, now);
  const places = rows.projects.flatMap((project): Placed[] => {
    const one = placed(access, project, seen, bindings.get(project.id) ?? [], now);
    return one === undefined ? [] : [one];
  });
  const owned = new Set(
    places.filter(({ seen: { state } }) => state !== "Taken" && state !== "Leaving").map(({ project }) => project),
  );
  const bound = [...bindings].flatMap(([project, some]) => (owned.has(project) ? some : []));
  const ends = over(seen, [...wide, ...bound], accounts);
  const rebound = altered(wide, objects, "inside");
  const puts = drift(wide, objects, "inside").filter(({ found }) => !rebound.some((one) => one === found));
  const rest = waves(puts);
  const steps: Step[] = [
    ...[...ends, ...rebound].map((found): Step => ({ do: "remove", found })),
    ...(rest.length === 0 ? [] : [{ do: "put", waves: rest } as const]),
    ...places.flatMap((place) => place.steps),
  ];
  const awaits = [
    ...places.flatMap((place) => (place.awaits === undefined ? [] : [place.awaits])),
    ...ending(puts).map(({ manifest }) => `${keyOf(manifest, "inside")} to end`),
  ];
  const lacking = drift(bound, objects, "inside").length + puts.length + rebound.length;
  const told = conditions(places, { ends: ends.length, lacking, accounts: accounts.length, bound: bound.length });
  const lookAt = nextOf(access, seen, places, now);
  return {
    steps,
    awaits,
    conditions: told,
    status: {
      ...(ends.length === 0 && { rights: seen.generation }),
      ...(ends.length + lacking === 0 && { given: seen.generation }),
      accounts: accounts.filter((member) => objects.has(`ServiceAccount ${membersNamespace}/${kubeName(member)}`)),
      projects: Object.fromEntries(places.map((place) => [place.project, seenOf(access, place, now)])),
      spaces: Object.fromEntries(places.flatMap(({ project, uid }) => (uid === undefined ? [] : [[project, uid]]))),
      refused: Object.fromEntries(places.flatMap(({ project, refused }) => (refused ? [[project, refused]] : []))),
      strangers: strangers(access, seen),
    },
    ...(lookAt !== undefined && { lookAt }),
    sight: sightOf(objects.values()),
  };
}

/** What gives rights to nobody who is owed them: the reason why this room is there. */
function over({ objects, sessions }: Seen, wanted: Manifest[], accounts: ID<"member">[]): Found[] {
  const owing = new Set(wanted.map((manifest) => keyOf(manifest, "inside")));
  const kinds = new Set(rightKinds.map(([, kind]) => kind));
  const rights = [...objects].flatMap(([key, found]) => {
    // A namespace's own account is a part of its project.
    const elsewhere = found.kind === "ServiceAccount" && found.metadata.namespace !== membersNamespace;
    return kinds.has(found.kind) && !owing.has(key) && !elsewhere ? [found] : [];
  });
  const holders = new Set(accounts);
  const ended = sessions.filter(({ member, over: past }) => past || member === undefined || !holders.has(member));
  return [...rights, ...ended.map(({ found }) => found)].filter(
    ({ metadata }) => metadata.deletionTimestamp === undefined,
  );
}

function conditions(
  places: Placed[],
  count: { ends: number; lacking: number; accounts: number; bound: number },
): Goal[] {
  const goal = (type: string, done: boolean, message: string): Goal => ({
    type,
    status: done ? "True" : "False",
    reason: done ? "Done" : "InProgress",
    message,
  });
  const inTheWay = places.filter(({ seen: { state } }) => state !== "Ready");
  const ready = places.length - inTheWay.length;
  const held = `${count.accounts} accounts, ${count.bound} bindings in projects`;
  const rights = count.ends + count.lacking === 0;
  const named = inTheWay.slice(0, 3).map(({ project, seen: { state } }) => `${project} is ${state}`);
  const projects = `${ready} of ${places.length} are ready${named.length === 0 ? "" : `; ${named.join(", ")}`}.`;
  const message = rights ? `${held}.` : `${count.ends} are to go and ${count.lacking} to come, of ${held}.`;
  const all = rights && inTheWay.length === 0;
  return [
    goal("RightsReady", rights, message),
    goal("ProjectsReady", inTheWay.length === 0, projects),
    goal("Ready", all, all ? "All that is granted holds here." : "Something is not as it is granted yet."),
  ];
}

/** Told anew only when it says something else: a look that finds all as it was writes nothing. */
function seenOf({ status }: Access, { project, seen }: Placed, now: string): Access["status"]["projects"][string] {
  const before = status.projects[project];
  const same = before?.generation === seen.generation && before.state === seen.state && before.message === seen.message;
  return same ? before : { ...seen, at: now };
}

/** The next of the times that are `seconds` apart, counted from `since`: the same one, however often it is asked for. */
function nth(since: string, seconds: number, now: string): string {
  return later(since, seconds * (Math.floor(secondsBetween(since, now) / seconds) + 1));
}

/** When something ends by itself, or is to be tried again. */
function nextOf(access: Access, { rows }: Seen, places: Placed[], now: string): string | undefined {
  const here = new Set<string>(places.map(({ project }) => project));
  const grants = rows.grants.flatMap(({ scope, state, expiresAt }) =>
    state === "active" && (scope === "tenant" || scope === access.cluster || here.has(scope)) ? [expiresAt] : [],
  );
  const projects = rows.projects.flatMap(({ id, spec }) => (here.has(id) ? [spec.expiresAt] : []));
  const again = places.flatMap(({ refused }) => (refused === undefined ? [] : [later(refused.at, retrySeconds)]));
  const taken = places.flatMap((place) =>
    place.seen.state === "Taken" ? [nth(seenOf(access, place, now).at, takenSeconds, now)] : [],
  );
  return [...grants, ...projects, ...again, ...taken]
    .filter((at): at is string => at !== undefined && secondsBetween(now, at) > 0)
    .sort()[0];
}
