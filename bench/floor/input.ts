/** What the floor is asked for: a service with its roles, and the roles that each waits for. */
export type FloorRole = { name: string; cardinality: number; parents: string[] };
export type FloorService = { id: number; roles: FloorRole[] };

export const floorQueue = 'floor';
export const floorNamespace = 'arcus-bench-floor';
