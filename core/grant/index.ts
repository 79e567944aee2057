// Who is given which permission group, where.
export { endScope, endSubject, expire } from "./expiry.ts";
export { givable, giving } from "./gift.ts";
export { type Held, held, heldAt, holds } from "./held.ts";
export { read } from "./read.ts";
export { approve, deny, request } from "./request.ts";
export { type Reach, reaching, type Right, rights, type Rows } from "./rights.ts";
export * from "./schema.ts";
export { using } from "./using.ts";
export { create, get, list, remove } from "./verbs.ts";
