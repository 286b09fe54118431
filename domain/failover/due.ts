import { defaultCluster } from '../../schemas/hosts/cluster.js';
import type { StoredMethod } from '../../schemas/hosts/fencing.js';
import type { Host } from '../../schemas/hosts/host.js';
import { type PollSettings, pollEvery } from '../hosts/polls.js';
import { isArmed } from './armed.js';

type Watched = Pick<
  Host,
  | '_id'
  | 'name'
  | 'state'
  | 'cluster_id'
  | 'ha'
  | 'fence_test'
  | 'missed'
  | 'operation'
  | 'silent_since'
  | 'failed_over'
>;

/**
 * Whether a failover of it begins by itself: it has missed as many polls as its policy says, that is armed, nothing is at work on it, and none
 * has begun for this silence. One that administrators have disabled, or taken offline, is in maintenance and has not failed.
 */
export const isDue = (host: Watched): boolean => isArmed(host) === true && isOverdue(host);

const isOverdue = ({ state, ha, missed = 0, operation, silent_since, failed_over }: Watched): boolean =>
  state === 'ERROR' &&
  missed >= (ha?.polls ?? Number.POSITIVE_INFINITY) &&
  (operation ?? null) === null &&
  silent_since?.getTime() !== failed_over?.getTime();

/** Of so many hosts of a cluster, at most so many may fail at once: where it is more, what failed is what looks at them, or all they stand on. */
const share = 0.4;
export const mostFailed = (hosts: number): number => Math.max(1, Math.floor(share * hosts));

/**
 * Why no failover begins by itself in the cluster of a host, though one is due; null: nothing keeps it. `all`: every host. Those
 * in maintenance count for nothing.
 */
export function brakeOn(host: Pick<Host, 'cluster_id'>, all: readonly Watched[]): string | null {
  const clusterOf = ({ cluster_id = defaultCluster }: Pick<Host, 'cluster_id'>): number => cluster_id;
  const its = all.filter(
    (one) => clusterOf(one) === clusterOf(host) && one.state !== 'DISABLED' && one.state !== 'OFFLINE',
  );
  const failed = its.filter(({ state }) => state === 'ERROR');
  if (failed.length <= mostFailed(its.length)) return null;
  return `${failed.length} of ${its.length} hosts of its cluster do not answer: that is more than fail by themselves, so no failover begins before somebody asks for it`;
}

/** Seconds that a look at a host takes at most (a poll, a second one, one for guests that run on), and that it takes to find places and start what is to be started. */
const look = 4;
const starting = 5;

/** Seconds that these methods take at most; null: a person is asked. */
function fencingTakes(methods: readonly StoredMethod[]): number | null {
  let seconds = 0;
  for (const method of methods) {
    if (method.kind === 'manual') return methods[0] === method ? null : seconds;
    seconds += method.timeout;
  }
  return seconds;
}

/**
 * Seconds from the failure of a host until its VMs are started elsewhere, at most: the poll before it has just been answered, as many as the
 * policy says are missed, a second look agrees, and it is fenced. null: nothing is done by itself, or a person is asked.
 */
export function expectedRecovery(host: Pick<Host, 'ha' | 'fence_test'>, settings: PollSettings): number | null {
  const { ha } = host;
  if (!ha || !isArmed(host)) return null;
  const fencing = fencingTakes(ha.fencing);
  return fencing === null ? null : ha.polls * pollEvery(settings) + 3 * look + fencing + starting;
}
