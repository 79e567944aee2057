// The local host: a real one-node Kubernetes in a network namespace of its own.
export { down, erase } from "./down.ts";
export type { HostInfo } from "./info.ts";
export { up, type UpOptions } from "./up.ts";
export { keepVolumes } from "../volumes.ts";
