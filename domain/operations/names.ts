import { type Kind, kinds } from '../../schemas/kinds.js';
import type { ResourceRef } from '../../schemas/operations/operation.js';

// Names that can be computed again from an id are idempotency keys: a second attempt finds what the first one made.

/** The ID under which the operations of a resource run, one after the other. */
export const workflowIdOf = ({ type, id }: ResourceRef): string => `${type}-${id}`;

/** `VM 34`, `service 12`: an object in sentences. */
export const nameOf = ({ type, id }: { type: Kind; id: number }): string => `${kinds[type].one} ${id}`;

/** The name of a VM at its hypervisor, as OpenNebula gives it. */
export const domainName = (vmId: number): string => `one-${vmId}`;
