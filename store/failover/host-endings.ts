import { brief, longest } from '../../domain/brief.js';
import { reasonOf, type Settles } from '../operations/ending.js';
import type { Releases } from '../services/releases.js';
import type { Flushes } from '../vms/flushes.js';
import type { Failovers } from './failovers.js';

/** How each kind of operation on a host ends there. */
export const hostEndings = ({
  flushes,
  failovers,
  releases,
}: {
  flushes: Flushes;
  failovers: Failovers;
  releases: Releases;
}): Settles<'host'> => ({
  flushHost: async ({ _id, resource }, outcome, transaction) => {
    await flushes.end(resource.id, _id, transaction);
    return { outcome, releasing: null };
  },
  testFencing: async ({ _id, resource, input }, outcome, transaction) => {
    const failed =
      outcome.state === 'succeeded'
        ? null
        : outcome.state === 'failed'
          ? brief(outcome.error.detail, longest.operation)
          : undefined;
    // One that was cancelled says nothing of how its host is turned off.
    const test = failed === undefined ? null : { at: new Date(), op: _id, methods: input.methods, failed };
    await failovers.endTest(resource.id, _id, test, transaction);
    return { outcome, releasing: null };
  },
  failoverHost: async ({ _id, resource }, outcome, transaction) => {
    await failovers.end(resource.id, _id, transaction);
    const given_up = `the failover of its host ended: ${reasonOf(outcome)}`;
    return { outcome, releasing: await releases.toRelease(_id, { given_up, left: null }, transaction) };
  },
});
