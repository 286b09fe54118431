/** What a resource says of the operations on it; `hold`: of a VM, which another resource's operation may have. */
type Occupied = { wanted: string | null; operation: string | null; hold?: { op: string } | null };

/** The operation that a resource goes by: the one that pre-empts, else its own, else the one that holds it. */
export const operationAtWork = ({ wanted, operation, hold }: Occupied): string | null =>
  wanted ?? operation ?? hold?.op ?? null;

/** The same of a service, of which roles may be in hands of their own: any of those. */
export const operationOnAny = (
  service: Occupied & { roles: readonly { operation?: string | null }[] },
): string | null => operationAtWork(service) ?? service.roles.find(({ operation }) => operation)?.operation ?? null;
