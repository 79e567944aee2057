// Messages that nobody could work on. They are hints only: the sweep has long seen to what they name.
export { list, redrive } from "./home.ts";
export { RedriveInput, Redriven, View } from "./schema.ts";
