// Where members of a tenant prove who they are (OpenID Connect), and how that becomes a session.
export { find } from "./home.ts";
export { offers } from "./offer.ts";
export { CreateInput, LinkInput, Offer, SignedIn, SignInInput, Tried, UpdateInput, View } from "./schema.ts";
export { link, refused, signIn } from "./signin.ts";
export { attempt, create, get, list, remove, update } from "./verbs.ts";
