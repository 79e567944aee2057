/** What a member may be in its tenant; `allow.ts` says what each may do. `staff` is of the home tenant only. */
export const roles = ["owner", "editor", "viewer", "staff"] as const;
export type Role = (typeof roles)[number];
