/** What Berth registers of this host. */
export interface HostInfo {
  /** Path of Berth's kubeconfig. People use the administrator's, `pki/admin.kubeconfig` in the state folder. */
  kubeconfig: string;
  /** `https://address:6443`. */
  server: string;
  /** IPv4 address of the node, reachable from the root namespace: node ports are served there. */
  address: string;
  /** Name of the Node object. */
  node: string;
  /** Kubernetes versions it has images for, without "v". */
  versions: string[];
  /** Images are `PREFIX/kube-apiserver:v1.34.4`, `PREFIX/etcd:3.6.16`, …; `kube` holds all programs of Kubernetes. */
  imagePrefix: string;
  etcdVersion: string;
  /** StorageClass that binds a claim at once. */
  storageClass: string;
  /** First and last node port. */
  portRange: [number, number];
  /** Path of a kubectl of the host's version. */
  kubectl: string;
}
