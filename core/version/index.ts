// Which Kubernetes versions there are, how far each can be trusted, and which etcd goes with it.
export { find, knows, resolve, unknown } from "./resolve.ts";
export { View } from "./schema.ts";
export { list } from "./verbs.ts";
