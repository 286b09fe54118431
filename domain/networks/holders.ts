import type { Lease, LeaseHolder } from '../../schemas/networks/lease.js';
import { Problem } from '../problems.js';
import { listed } from '../words.js';

/** How many holders a refusal names. */
export const mostNamed = 10;

export function holderText(holder: LeaseHolder): string {
  switch (holder.type) {
    case 'vm':
      return `VM ${holder.id}`;
    case 'network':
      return `reservation ${holder.id}`;
    case 'hold':
      return 'nobody, but held back';
  }
}

/** Refuses while somebody has addresses. `first`: the first of those who have. */
export function refuseInUse(what: string, first: readonly Lease[], next: string): void {
  if (first.length === 0) return;
  const named = [
    ...new Set(first.map(({ holder }) => (holder.type === 'hold' ? 'addresses that are held' : holderText(holder)))),
  ];
  const more = first.length >= mostNamed ? ['perhaps others'] : [];
  throw new Problem('in_use', `${what} is in use, by ${listed([...named, ...more])}. ${next}`);
}
