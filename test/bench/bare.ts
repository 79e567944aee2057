// A control plane as bare processes: the very flags, keys and files of a hosted one, without Pods, host or home.
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Manifest, Target, Work } from "#core/context.ts";
import { adminTarget, makeAuthorities, makeLeaves } from "#core/cluster/keys.ts";
import { apiserver, apiserverConfig, apiserverSecret } from "#core/cluster/manifests/apiserver.ts";
import { controllerSecrets, controllers } from "#core/cluster/manifests/controllers.ts";
import { etcdSecret, etcdSet } from "#core/cluster/manifests/etcd.ts";
import type { Signed } from "#core/cluster/manifests/parts.ts";
import type { Cluster } from "#core/cluster/schema.ts";
import { engineStart } from "#core/lease.ts";
import { ours, versions } from "../../local/binary.ts";
import { build } from "../../local/build.ts";
import { dissolve, enter, namespace } from "../../local/network.ts";
import { pidOf, start, stop } from "./program.ts";
import { newClusterID, type Stack } from "./stack.ts";

const programs = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"] as const;

export interface Bare {
  /** Makes keys and files, starts etcd and kube-apiserver, and says how to get in as administrator. */
  begin(): Promise<Target>;
  /** Starts the other two, once the API server answers. */
  control(): Promise<void>;
  pids(): number[];
  end(): Promise<void>;
}

/** The network namespace and a copy of the programs are made beforehand: they are not what is measured. */
export async function newBare(stack: Stack, work: Work, name: string): Promise<Bare> {
  const space = await namespace(stack.state, name);
  const folder = mkdtempSync(join(tmpdir(), "berth-bare-"));
  const bin = await binaries(stack);
  let parts: Signed | undefined;
  const run = (manifest: Manifest, secrets: Manifest[]): void => {
    for (const { metadata, data, kind } of secrets) {
      mkdirSync(join(folder, metadata.name), { recursive: true });
      for (const [file, text] of Object.entries(data as Record<string, string>)) {
        const plain = kind === "Secret" ? Buffer.from(text, "base64").toString() : text;
        // Inside of the host it is reached through a Service on 443; here there is none.
        const body = file === "kubeconfig" ? plain.replace(`${space.inside}:443`, `${space.inside}:6443`) : plain;
        writeFileSync(join(folder, metadata.name, file), body);
      }
    }
    const [container] = (manifest["spec"] as { template: { spec: { containers: { command: string[] }[] } } }).template
      .spec.containers;
    const [program = "", ...args] = container?.command ?? [];
    const command = [join(bin, program), ...args].map((each) =>
      each.replaceAll("/etc/berth/", `${folder}/`).replaceAll("/var/lib/etcd", join(folder, "data")),
    );
    start(`${name}-${program}`, enter(space, command as [string, ...string[]]), join(folder, `${program}.log`));
  };
  return {
    async begin() {
      const cluster: Cluster = {
        id: newClusterID(stack.deps),
        tenant: work.tenant,
        name,
        createdAt: work.now(),
        createdBy: "system",
        spec: {
          version: versions.kube,
          region: "local",
          serviceCIDRs: ["10.97.0.0/16"],
          podCIDRs: ["172.31.0.0/16"],
          sourceRanges: [],
          labels: {},
          deletionProtection: false,
        },
        placement: { host: "hst_01k00000000000000000000000", address: space.inside, port: 6443 },
        status: { conditions: [] },
        ...engineStart,
      };
      const addresses = { apiserver: space.inside, etcd: space.inside };
      const authorities = await makeAuthorities(work);
      const leaves = await makeLeaves(work, cluster, authorities, addresses);
      const nothing = { serviceCIDRs: [], podCIDRs: [], homeRanges: [], policyEngine: null };
      const host = { imagePrefix: "bare", storageClass: "bare", ...nothing };
      parts = {
        cluster,
        host,
        etcdVersion: versions.etcd,
        issuer: "https://berth.internal/bare",
        authorities,
        leaves,
        addresses,
      };
      run(etcdSet(parts), [etcdSecret(parts)]);
      run(apiserver(parts), [apiserverSecret(parts), apiserverConfig(parts)]);
      return await adminTarget(work, cluster, authorities);
    },
    async control() {
      if (parts === undefined) throw new Error("it was not begun");
      const secrets = controllerSecrets(parts);
      for (const manifest of controllers(parts)) run(manifest, secrets);
    },
    pids: () => programs.map((program) => pidOf(`${name}-${program}`)).filter((pid) => pid !== undefined),
    async end() {
      await Promise.all(programs.map((program) => stop(`${name}-${program}`)));
      await dissolve(stack.state, name);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A copy of its own, as an image is: memory that is shared with the host's programs would count as less. */
async function binaries(stack: Stack): Promise<string> {
  const bin = join(stack.state.root, "bare-bin");
  if (existsSync(bin)) return bin;
  for (const name of ["kube", "etcd"] as const) {
    cpSync(await build(ours(name), () => undefined), bin, { recursive: true, verbatimSymlinks: true });
  }
  return bin;
}
