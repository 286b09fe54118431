import type { Role, Service } from '../../schemas/services/service.js';

// Who works on a service is written in its document: `operation` has all of it, `roles.operation` one role. The one place that
// says what that means for a guard, be it for all of a service or for some roles.

/** Nobody has all of it, nor is about to take it. */
export const nobodyHasAll = { operation: null, wanted: null } as const;

/** Nobody has one of its roles. */
export const noRoleAtWork = { 'roles.operation': { $not: { $type: 'string' } } } as const;

/** Nobody has all of it, nor one of these roles. */
export const nobodyHasRoles = (names: readonly string[]) => ({
  ...nobodyHasAll,
  roles: { $not: { $elemMatch: { name: { $in: [...names] }, operation: { $type: 'string' as const } } } },
});

/** The operation has all of it, or roles of it: which ones, each change of a role asks of its own. */
export const hasAny = (op: string) => ({ $or: [{ operation: op }, { 'roles.operation': op }] });

/** The operation has this role, which is as it says there, alone or with all others. */
export const hasRoleThat = (op: string, is: object) => ({
  $or: [{ operation: op, roles: { $elemMatch: is } }, { roles: { $elemMatch: { ...is, operation: op } } }],
});

/** The same in an expression over `$roles`, in which `$$this` is the role. */
export const hasThis = (op: string) => ({
  $in: [{ $literal: op }, ['$operation', { $ifNull: ['$$this.operation', null] }]],
});

type InHands = Pick<Service, 'operation'>;

/** Whether an operation has a role of a service, as read. */
export const hasRole = ({ operation }: InHands, role: Pick<Role, 'operation'>, op: string): boolean =>
  operation === op || role.operation === op;

/** Whether it has anything of the service at all. */
export const isAtWorkOn = (service: InHands & { roles: readonly Pick<Role, 'operation'>[] }, op: string): boolean =>
  service.operation === op || service.roles.some((role) => role.operation === op);
