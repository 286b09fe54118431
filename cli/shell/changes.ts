import { Complaint } from './complaint.js';

/** What options say is to change. Throws a Complaint when that is nothing: nobody asks for it on purpose. */
export function changesIn<T extends object>(changes: T, flags: string): T {
  if (Object.values(changes).some((change) => change !== undefined)) return changes;
  throw new Complaint('usage', 'Nothing is to change.', { next: `Say what with ${flags}; see --help.` });
}
