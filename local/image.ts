// Container images from the binaries we built: one layer, no registry, no Dockerfile.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { ours, type Progress, programs, type Wanted } from "./binary.ts";
import { build, cache } from "./build.ts";
import { type Containerd, ctr, imageName } from "./containerd.ts";
import { run } from "./command.ts";
import { read, save } from "./state.ts";

/**
 * Names under which the image of a binary is known. Kubernetes' programs share one image with all their names,
 * so that Pods may name it as upstream does, under another prefix.
 */
export function imageNames({ name, version }: Wanted): string[] {
  const parts = name === "kube" ? programs : [];
  return [imageName(name, version), ...parts.map((part) => `berth.local/${part}:v${version}`)];
}

/** The three images without which a host can't be. The sandbox image comes first: no Pod starts without it. */
export const base: readonly Wanted[] = [ours("pause"), ours("etcd"), ours("kube")];

/** Builds images and puts them into `it`, unless it has those very ones. @returns those that it had not. */
export async function provide(it: Containerd, images: readonly Wanted[], progress: Progress): Promise<Wanted[]> {
  const have = new Set((await ctr(it, "images", "ls", "--quiet")).split("\n"));
  const fresh: Wanted[] = [];
  for (const image of images) {
    const archive = await pack(image, progress);
    const { name, version } = image;
    const mark = join(it.root, "images", version === ours(name).version ? name : `${name}-${version}`);
    if (read(mark) === basename(archive) && imageNames(image).every((each) => have.has(each))) continue;
    progress(`importing ${imageName(name, version)}`);
    await ctr(it, "images", "import", archive);
    save(mark, basename(archive));
    fresh.push(image);
  }
  return fresh;
}

/** Path of a docker-archive of a binary, made in the cache when it is not there. */
export async function pack(image: Wanted, progress: Progress): Promise<string> {
  const { name } = image;
  const folder = await build(image, progress);
  const archive = join(cache(), `image-${basename(folder)}-2.tar`);
  if (existsSync(archive)) return archive;
  const work = mkdtempSync(`${archive}.new-`);
  try {
    // Every image has /tmp, and the links that make a name of the binary a program.
    mkdirSync(join(work, "root/usr/local/bin"), { recursive: true });
    mkdirSync(join(work, "root/tmp"), { mode: 0o1777 });
    await run("cp", ["--archive", `${folder}/.`, join(work, "root/usr/local/bin")]);
    await tar(join(work, "layer.tar"), join(work, "root"), ["."]);
    const layer = createHash("sha256")
      .update(readFileSync(join(work, "layer.tar")))
      .digest("hex");
    const config = JSON.stringify({
      architecture: process.arch === "x64" ? "amd64" : process.arch,
      os: "linux",
      // An image without an entrypoint is refused as sandbox image.
      config: { Env: ["PATH=/usr/local/bin"], ...(name === "kube" ? {} : { Entrypoint: [`/usr/local/bin/${name}`] }) },
      rootfs: { type: "layers", diff_ids: [`sha256:${layer}`] },
      history: [{ created_by: "berth" }],
    });
    writeFileSync(join(work, "config.json"), config);
    const manifest = [{ Config: "config.json", RepoTags: imageNames(image), Layers: ["layer.tar"] }];
    writeFileSync(join(work, "manifest.json"), JSON.stringify(manifest));
    await tar(join(work, "image.tar"), work, ["manifest.json", "config.json", "layer.tar"]);
    renameSync(join(work, "image.tar"), archive);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return archive;
}

/** The same files make the same archive, whoever owns them and whenever they were written. */
const tar = (file: string, folder: string, entries: string[]): Promise<string> =>
  run("tar", [
    "--create",
    "--file",
    file,
    "--directory",
    folder,
    "--format=ustar",
    "--sort=name",
    "--mtime=@0",
    "--owner=0",
    "--group=0",
    "--numeric-owner",
    // Pods run as nobody in particular: whatever mode a folder of ours had, all may read and enter.
    "--mode=a+rX",
    ...entries,
  ]);
