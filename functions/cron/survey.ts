import * as Cluster from "#core/cluster/index.ts";
import type { Kube, Work } from "#core/context.ts";
import * as Host from "#core/host/index.ts";
import { contextOf, type Deps, newRequestID, system } from "../deps.ts";
import { stackOf } from "../log.ts";

type Host = Awaited<ReturnType<typeof Host.all>>[number];
type Tools = Pick<Work, "kube" | "seal">;

/** A host that has not told all about itself by then is left for the next lap. */
const hostMilliseconds = 40_000;

/**
 * One lap: every host that is well is listed whole, and what is not as its row last saw it is poked. Hosts go at once,
 * and one that fails or hangs is logged and costs the others nothing. Where nothing changed, nothing is written.
 */
export async function lap(deps: Deps): Promise<{ clusters: number; poked: number; strangers: number }> {
  const tools = await deps.tools();
  const all = await Host.all(deps.home);
  const hosts = all.filter((host) => Host.healthy(host, deps.now()));
  const silent = all.filter((host) => Host.silentSince(host, deps.now()) !== undefined);
  const [found] = await Promise.all([
    Promise.all(hosts.map((host) => bounded(deps, tools, host))),
    ...silent.map((host) => remind(deps, host)),
  ]);
  const sum = (of: (survey: Cluster.Survey) => number): number =>
    found.reduce((total, survey) => total + (survey === undefined ? 0 : of(survey)), 0);
  const told = {
    clusters: sum(({ carried }) => carried),
    poked: sum(({ differing }) => differing.length),
    strangers: sum(({ strangers }) => strangers.length),
  };
  deps.log.info("lapped", { hosts: hosts.length, ...told });
  deps.meter.count("LapClusters", told.clusters, "Count");
  deps.meter.count("LapDifferences", told.poked, "Count");
  return told;
}

/** A settled row is in no list of the sweep: what still calls its cluster ready on a silent host is poked from here. */
async function remind(deps: Deps, host: Host): Promise<void> {
  try {
    const places = await Cluster.unaware(deps.home, host.id);
    await Promise.all(places.map(({ tenant, id }) => deps.home.poke(tenant, id)));
  } catch (error) {
    deps.log.error("a silent host's clusters could not be told", { host: host.id, stack: stackOf(error) });
  }
}

async function bounded(deps: Deps, tools: Tools, host: Host): Promise<Cluster.Survey | undefined> {
  const ended = new AbortController();
  const late = deps.sleep(hostMilliseconds, ended.signal).then(() => {
    if (!ended.signal.aborted) throw new Error(`no answer in ${hostMilliseconds} ms`);
    return undefined;
  });
  try {
    return await Promise.race([one(deps, tools, host), late]);
  } catch (error) {
    deps.log.error("a host could not be lapped", { host: host.id, name: host.name, stack: stackOf(error) });
    return undefined;
  } finally {
    ended.abort();
  }
}

async function one(deps: Deps, tools: Tools, host: Host): Promise<Cluster.Survey> {
  const target = await Host.target({ home: deps.home, now: () => deps.now(), seal: tools.seal }, host.id);
  const kube = tools.kube(target);
  const survey = await Cluster.survey(deps.home, kube, host.id);
  await Promise.all(survey.differing.map(({ tenant, id }) => deps.home.poke(tenant, id)));
  for (const remains of survey.remains) await clear(deps, kube, host, remains);
  for (const namespace of survey.strangers) {
    deps.log.error("a namespace says it is ours and the table knows nothing of it", { host: host.id, namespace });
  }
  await Host.keepStrangers(deps.home, host, survey.strangers);
  return survey;
}

/** One that can't be deleted now, the next lap meets again. */
async function clear(deps: Deps, kube: Kube, host: Host, remains: Cluster.Remains): Promise<void> {
  const told = { host: host.id, tenant: remains.tenant, cluster: remains.id };
  try {
    await Cluster.clear(contextOf(deps, system(remains.tenant), newRequestID(deps)), kube, remains);
    deps.log.warn("what was left of an ended cluster was deleted", told);
  } catch (error) {
    deps.log.error("what was left of an ended cluster could not be deleted", { ...told, stack: stackOf(error) });
  }
}
