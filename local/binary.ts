// The binaries of our own: which there are, and in which versions.

/** What we build when nothing else is said; the modules' go.mod files pin the same versions. */
export const versions = { kube: "1.34.4", etcd: "3.6.16", pause: "1" } as const;
export type Binary = keyof typeof versions;

/** The names that the `kube` binary answers to, each a link beside it. */
export const programs = [
  "kube-apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kube-proxy",
  "kubelet",
  "kubectl",
] as const;

/** One of our binaries in one version, as `1.34.4`. */
export interface Wanted {
  name: Binary;
  version: string;
}

export const ours = (name: Binary): Wanted => ({ name, version: versions[name] });

/** Told of what takes long, line by line. */
export type Progress = (line: string) => void;
