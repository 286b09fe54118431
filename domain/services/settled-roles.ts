/** Roles whose VMs a batch is through with, while it still has VMs of others. `run`: of the engine, whose batch it is. */
export type SettledRoles = { run: string; batch: number; roles: string[] };
