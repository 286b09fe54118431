/** What a resource says of the operations on it; `hold`: of a VM, which another resource's operation may have. */
type Occupied = { wanted: string | null; operation: string | null; hold?: { op: string } | null };

/** The operation that a resource goes by: the one that pre-empts, else its own, else the one that holds it. */
export const operationAtWork = ({ wanted, operation, hold }: Occupied): string | null =>
  wanted ?? operation ?? hold?.op ?? null;
