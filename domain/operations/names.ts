import { type Kind, kinds } from '../../schemas/kinds.js';
import type { ResourceRef } from '../../schemas/operations/operation.js';

// Names that can be computed again from an id are idempotency keys: a second attempt finds what the first one made.

/** The ID under which the operations of a resource run, one after the other; and those of each of a service's roles. */
export const workflowIdOf = ({ type, id }: ResourceRef, role?: string): string =>
  role === undefined ? `${type}-${id}` : `${type}-${id}/${role}`;

/** The ID under which an action on VMs of a service, or of a role, runs: each by itself, beside whatever else is at work there. */
export const actionIdOf = (resource: ResourceRef, role: string | undefined, op: string): string =>
  `${workflowIdOf(resource, role)}/actions-${op}`;

/** `VM 34`, `service 12`: an object in sentences. */
export const nameOf = ({ type, id }: { type: Kind; id: number }): string => `${kinds[type].one} ${id}`;

/** What stands before the name of a service where it is about a role of it alone. */
export const ofRole = (role: string | undefined): string => (role === undefined ? '' : `role ${role} of `);

/** The name of a VM at its hypervisor, as OpenNebula gives it. */
export const domainName = (vmId: number): string => `one-${vmId}`;
