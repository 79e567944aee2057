// Kubernetes versions that the host of our own offers beside the one it runs.
import { join } from "node:path";
import { entries, expired } from "#core/version/catalogue.ts";
import { ours, type Progress, versions, type Wanted } from "./binary.ts";
import { built } from "./build.ts";
import { containerd, imageName } from "./containerd.ts";
import { register } from "./enrol.ts";
import type { HostInfo } from "./host/info.ts";
import { provide } from "./image.ts";
import { locked } from "./lock.ts";
import { namespace } from "./network.ts";
import { alive } from "./process.ts";
import { apiURL, home, paths } from "./settings.ts";
import { read, save, type State } from "./state.ts";

const file = (state: State): string => join(state.root, "versions.json");

/** Versions that were added to this stack's host, beside its own. */
export const addedVersions = (state: State): string[] => JSON.parse(read(file(state)) ?? "[]") as string[];

/** Their images. */
export const added = (state: State): Wanted[] => addedVersions(state).flatMap((version) => imagesOf(version));

/** What a cluster of that version needs and a host has not from its start. @throws Error with a sentence for people. */
export function imagesOf(version: string): Wanted[] {
  const entry = entries.find((each) => each.version === version);
  if (entry === undefined) {
    const ended = expired.get(version.split(".").slice(0, 2).join("."));
    const known = entries.map((each) => each.version).join(", ");
    throw new Error(
      ended === undefined
        ? `there is no version ${version} in the catalogue, which has ${known}`
        : `Kubernetes ended the minor of ${version} on ${ended}, and Berth with it; the catalogue has ${known}`,
    );
  }
  const wanted: Wanted[] = [
    { name: "etcd", version: entry.etcd },
    { name: "kube", version },
  ];
  return wanted.filter((each) => each.version !== ours(each.name).version);
}

/**
 * Builds a version, puts its images into the running host and offers it there. A repeat finds all done and says so.
 * @throws Error when it is not in the catalogue, when the stack is not up or its host not ours, or with the compiler's words.
 */
export async function addVersion(
  state: State,
  version: string,
  { dryRun }: { dryRun: boolean },
  say: Progress,
): Promise<void> {
  const images = imagesOf(version);
  if (version === versions.kube) return say(`${version} is what the host itself runs; it is offered already`);
  if (dryRun) return tell(images, version, say);
  const files = paths(state);
  const info = read(files.host);
  if (info === undefined) {
    throw new Error("this stack has no host of its own; what a host of yours can pull is told with: berth host update");
  }
  const known = home(state);
  for (const name of ["containerd", "home"]) {
    if (!alive(state, name)) throw new Error(`${name} is not running; bring the stack up first: npm start`);
  }
  const runtime = containerd(state, "containerd", await namespace(state, "host"));
  const fresh = await provide(runtime, images, say);
  await locked(join(state.root, "host.lock"), async () => {
    save(file(state), `${JSON.stringify([...new Set([...addedVersions(state), version])])}\n`);
    const host = JSON.parse(info) as HostInfo;
    const all = [...new Set([...host.versions, version])];
    const changed = save(files.host, `${JSON.stringify({ ...host, versions: all }, null, 2)}\n`);
    await register(apiURL(known), files, { ...host, versions: all });
    if (fresh.length === 0 && !changed) say(`${version} is there already`);
    else say(`${version} is offered: npx berth cluster create NAME --version ${version}`);
  });
}

async function tell(images: Wanted[], version: string, say: Progress): Promise<void> {
  for (const image of images) {
    const name = `${image.name} ${image.version}`;
    say(
      built(image)
        ? `${name} is built already`
        : `would build ${name}${image.name === "kube" ? ", in about 6 minutes on two cores" : ""}`,
    );
    say(`would put ${imageName(image.name, image.version)} into the host's containerd`);
  }
  say(`would offer ${version} to new clusters on the host`);
}
