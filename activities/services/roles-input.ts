/** What a step on several roles of one service is told; its answers come in the same order. */
export type RolesInput<R> = { op: string; service: number; roles: R[] };
