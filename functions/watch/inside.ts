// The ear inside of one cluster: it hears what others do to the rights, accounts and projects that Berth keeps there.
// A cluster is its tenant's, so nothing that is read there says whose it is, and none can keep the ear busy.
import { type Found, type Kube, ours, type Place, type Query, type Target } from "#core/context.ts";
import { type Following, follow } from "./follow.ts";

export interface Inside extends Omit<Following, "kube" | "lost"> {
  /** The client of the cluster's host. */
  host(): Kube | Promise<Kube>;
  /** A client of the cluster itself. */
  kube(target: Target): Kube | Promise<Kube>;
  /** The namespace on the host where the cluster's own Secret for its ear is. */
  namespace: string;
  /** What to poke. */
  place: Place;
  say(place: Place): void;
  /** Waited for before the first call, so that not all clusters of a host are called in one moment. */
  delayMs: number;
}

const rbac = "rbac.authorization.k8s.io/v1";
/** What Berth's rights and projects are made of. It is asked for by metadata alone. */
const kinds: [apiVersion: string, kind: string, namespace?: string][] = [
  ["v1", "Namespace"],
  ["v1", "ServiceAccount", "berth-members"],
  [rbac, "RoleBinding"],
  [rbac, "ClusterRoleBinding"],
  [rbac, "ClusterRole"],
  ["networking.k8s.io/v1", "NetworkPolicy"],
  ["v1", "ResourceQuota"],
  ["v1", "LimitRange"],
];
/** So many pokes of one cluster in a row; then one each half minute, however much happens there. */
const burst = 10;
const refillMs = 30_000;
const againMs = 2_000;
const againMaxMs = 60_000;

/** Listens until `signal` aborts; it never throws. */
export async function listenInside(options: Inside): Promise<void> {
  const { signal, log, place, sleep } = options;
  await sleep(options.delayMs, signal);
  let entered: Promise<Kube> | undefined;
  let away = false;
  const following: Following = {
    ...options,
    // The Secret is read once, and again only when what it held did not do: it is renewed once a year.
    kube: () => (entered ??= enter(options)),
    lost(kind, why) {
      entered = undefined;
      if (away) return;
      away = true;
      log.warn("an ear lost a cluster", { id: place.id, kind, why });
    },
  };
  const hear = newSpout(options);
  const answered = (): void => {
    if (!away) return;
    away = false;
    log.info("an ear found a cluster again", { id: place.id });
    // What was taken away from somebody meanwhile is not to wait for its next try.
    options.say(place);
  };
  const label = { ...ours, "berth.dev/access": place.id.replace("_", "-") };
  await Promise.all(
    kinds.map(([apiVersion, kind, namespace]) => {
      const query: Query = { apiVersion, kind, labels: label, metadata: true, ...(namespace && { namespace }) };
      return follow(following, query, { hear, answered });
    }),
  );
}

/** Says each change at once, until there are many of them: a tenant's storm is a trickle by the time it reaches home. */
function newSpout({ say, place, log, sleep, signal }: Inside): (object: Found, why: string) => void {
  let spent = 0;
  let waiting = false;
  const pour = (): void => {
    if (spent >= burst) {
      waiting = true;
      return;
    }
    spent += 1;
    say(place);
    void sleep(refillMs * spent, signal).then(() => {
      spent -= 1;
      if (!waiting || signal.aborted) return;
      waiting = false;
      pour();
    });
  };
  return (object, why) => {
    if (spent < burst) log.info("heard", { ...place, kind: object.kind, name: object.metadata.name, why });
    pour();
  };
}

/** Waits until there is a Secret: it comes with the cluster's certificates. @throws KubeFault when the host won't tell. */
async function enter(options: Inside): Promise<Kube> {
  const { namespace, sleep, signal } = options;
  for (let wait = againMs; ; wait = Math.min(againMaxMs, wait * 2)) {
    const kube = await options.host();
    const secret = await kube.get({ apiVersion: "v1", kind: "Secret", name: "ear", namespace });
    const target = secret && targetOf(secret);
    if (target !== undefined) return await options.kube(target);
    if (signal.aborted) throw new Error("given up");
    await sleep(wait, signal);
  }
}

function targetOf(secret: Found): Target | undefined {
  const data = (secret["data"] ?? {}) as Record<string, string>;
  const read = (name: string): string => Buffer.from(data[name] ?? "", "base64").toString();
  const [server, serverName, authority] = [read("server"), read("server-name"), read("ca.crt")];
  const user = { certificate: read("tls.crt"), key: read("tls.key") };
  const whole = [server, serverName, authority, ...Object.values(user)].every((each) => each !== "");
  return whole ? { server, serverName, authority, user } : undefined;
}
