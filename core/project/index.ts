// A team's space: one namespace on each of several clusters, with one quota over all of them.
export { adopted, left, look, type Looked, wait } from "./life.ts";
export { objects, projectLabel, resources } from "./manifests.ts";
export { isAbove, sum } from "./quantity.ts";
export {
  AdoptInput,
  CreateInput,
  MoveInput,
  type Place,
  Project,
  projectKind,
  Receipt,
  Seen,
  SplitInput,
  SplitView,
  UpdateInput,
  View,
} from "./schema.ts";
export { create, get, list, preview, receipt, remove, update } from "./verbs.ts";
export { adopt, move } from "./move.ts";
export { type Known, view } from "./view.ts";
