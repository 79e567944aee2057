import type { Role } from "../role.ts";

/** From what may least to what may most; each may all that the one before may. */
const ranks: Role[] = ["viewer", "editor", "owner", "staff"];

/** Whether who has `role` may give `other`, and change members who have it. */
export const reaches = (role: Role, other: Role): boolean => ranks.indexOf(role) >= ranks.indexOf(other);

/** Whether a role may manage its tenant: the last member who has it must stay. */
export const leads = (role: Role): boolean => reaches(role, "owner");
