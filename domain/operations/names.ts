import { type Kind, kinds } from '../../schemas/kinds.js';
import type { ResourceRef } from '../../schemas/operations/operation.js';
import { type OperationKind, partOf } from '../../schemas/operations.js';

// Names that can be computed again from an id are idempotency keys: a second attempt finds what the first one made.

/** The ID under which the operations of a resource run, one after the other; and those of each of a service's roles. */
export const workflowIdOf = ({ type, id }: ResourceRef, role?: string): string =>
  role === undefined ? `${type}-${id}` : `${type}-${id}/${role}`;

/** The ID under which an operation runs that may have others of its kind beside it: each by itself. */
const ownIdOf = (resource: ResourceRef, role: string | undefined, what: string, op: string): string =>
  `${workflowIdOf(resource, role)}/${what}-${op}`;

/** The ID under which an operation runs; `role`: the one that it has alone, and `input` may name others, which it has. */
export function runIdOf(
  kind: OperationKind,
  resource: ResourceRef,
  { role, input, op }: { role: string | undefined; input: object; op: string },
): string {
  if (partOf(kind) === 'vms') return ownIdOf(resource, role, 'actions', op);
  return 'roles' in input && input.roles !== undefined
    ? ownIdOf(resource, role, 'roles', op)
    : workflowIdOf(resource, role);
}

/** `VM 34`, `service 12`: an object in sentences. */
export const nameOf = ({ type, id }: { type: Kind; id: number }): string => `${kinds[type].one} ${id}`;

/** What stands before the name of a service where it is about a role of it alone. */
export const ofRole = (role: string | undefined): string => (role === undefined ? '' : `role ${role} of `);

/** The name of a VM at its hypervisor, as OpenNebula gives it. */
export const domainName = (vmId: number): string => `one-${vmId}`;
