/** What a step on one role of a service is told. `step`: which step of its operation it is, for whoever says it again. */
export type RoleInput = { op: string; service: number; role: string; step: number };

/** What a step on several roles of one service is told; its answers come in the same order. */
export type RolesInput<R> = { op: string; service: number; roles: R[] };
