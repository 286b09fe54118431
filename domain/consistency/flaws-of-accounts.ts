import type { Kinds } from './flaw-kinds.js';
import { amounts } from './flaw-words.js';

/** What may be wrong with what is counted, charged or owned. */
export const accountFlaws = {
  counter_behind: {
    section: 'counters',
    of: (seen) => seen.pool,
    resource: (seen) => ({ type: 'counter', id: seen.pool }),
    what: 'A counter of ids would give an id again',
    detail: ({ pool, next, highest }) => `The next ${pool} would get id ${next}; ${highest} is given.`,
    repair: 'raises the counter above the ids that are given',
    advice: null,
  },
  quota_drift: {
    section: 'counters',
    of: ({ holder }) => `${holder.type}/${holder.id}`,
    resource: ({ holder }) => ({ type: 'quota', id: `${holder.type}/${holder.id}` }),
    what: 'What a user or group is said to use is not the sum of what its services, VMs, images and networks are charged',
    detail: ({ holder, used, sum }) =>
      `The ${holder.type} is said to use ${amounts(used)}; what it has is charged ${amounts(sum)}.`,
    repair: 'adds the charges up again',
    advice: null,
  },
  owner_missing: {
    section: 'counters',
    of: ({ holder }) => `${holder.type}/${holder.id}`,
    resource: ({ holder }) => holder,
    what: 'A user or group that does not exist owns something: it was made at the moment of the removal',
    detail: ({ holder, owns }) => `There is no ${holder.type} ${holder.id}, and it owns ${owns}.`,
    repair: null,
    advice: 'Find it in the lists by its uid or gid, and give it to somebody: arcus vm chown, and so on for what it is',
  },
} as const satisfies Kinds;
