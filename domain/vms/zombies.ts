import type { Capacity } from '../../schemas/common/capacity.js';
import type { Host } from '../../schemas/hosts/host.js';
import {
  type Condemned,
  type StoredWild,
  type StoredZombie,
  type Strays,
  shownStrays,
  type ZombieReason,
} from '../../schemas/hosts/strays.js';
import type { Vm } from '../../schemas/vms/vm.js';
import type { SightedDomain } from './sightings.js';
import { placeOf, placesOf } from './stays.js';
import { isVmGone, isVmRunning } from './vm-states.js';

/** A VM of which a host has a domain, as it is written down. */
export type KnownVm = Pick<
  Vm,
  | '_id'
  | 'state'
  | 'lcm_state'
  | 'epoch'
  | 'history'
  | 'moving'
  | 'wanted'
  | 'left_behind'
  | 'operation'
  | 'hold'
  | 'adopts'
>;

/** How many zombies of a host that has always answered are removed without anybody's being asked. */
export const mostUnasked = 5;

type Found = SightedDomain & { vm: number; heard: number; deployId: string; capacity: Capacity };
type FoundWild = Omit<StoredWild, 'deploy_id'> & { deployId: string };

/** Why a domain of ours should not be on a host; null: it may. `vm`: what is written of it, read after the host has answered. */
export function reasonOf(
  host: number,
  { epoch, heard }: Pick<Found, 'epoch' | 'heard'>,
  vm: KnownVm | undefined,
): ZombieReason | null {
  if (!vm) return 'unknown';
  if (isVmGone(vm) && vm.adopts) return 'not_imported';
  if (isVmGone(vm)) return heard > vm.epoch ? 'newer' : 'done';
  const place = placeOf(vm);
  if (placesOf(vm).some(({ hid }) => hid === host)) return null;
  if (place !== null && place.epoch > epoch && isVmRunning(vm)) return 'elsewhere';
  // It is on its way.
  return vm.operation !== null || vm.hold !== null || vm.wanted !== null ? null : 'last_copy';
}

/** What goes without a question: the database says that it is over. */
const isOver = ({ reason }: Pick<StoredZombie, 'reason'>): boolean => reason === 'done' || reason === 'elsewhere';

/** What a host is looked at with: what was found before, and what somebody wants removed. `returns`: it was silent, or is new. */
export type Seen = { before: Strays | undefined; condemned: readonly Condemned[]; returns: boolean };

export const seenOf = ({ strays, condemned = [], state }: Pick<Host, 'strays' | 'condemned' | 'state'>): Seen => ({
  before: strays,
  condemned,
  returns: state === 'INIT' || state === 'ERROR',
});

/**
 * What becomes of a zombie. So many at once as no fault of a step leaves behind point to a database that is not what it was,
 * unless the host was away while its VMs were replaced. What nobody knows, as after a backup was put back, goes only if somebody
 * says so; what may be the last copy of a VM, never.
 */
export function fateOf(
  zombie: StoredZombie,
  all: readonly StoredZombie[],
  seen: Seen,
): 'removed' | 'asked' | 'kept' | 'returned' {
  if (zombie.reason === 'last_copy') return 'kept';
  if (zombie.reason === 'not_imported') return 'returned';
  if (isCondemned(zombie, seen.condemned)) return 'removed';
  if (!isOver(zombie)) return 'asked';
  return seen.returns || all.filter(isOver).length <= mostUnasked ? 'removed' : 'asked';
}

const isCondemned = ({ vm, deploy_id }: Condemned, condemned: readonly Condemned[]): boolean =>
  condemned.some((one) => one.vm === vm && one.deploy_id === deploy_id);

export type Judged = {
  /** To be written; null: there are none. */
  strays: Strays | null;
  /** What they take of the host, as long as they are up. */
  outside: Capacity;
  /** Those that two looks in a row have found, and that go now, or back to whose they were. */
  remove: StoredZombie[];
};

/** What a look has found of domains that should not be there. `found`: with the reason of each. */
export function judgeStrays(
  seen: Seen,
  found: readonly { domain: Found; reason: ZombieReason }[],
  wilds: readonly FoundWild[],
  now: Date,
): Judged {
  const earlier = new Map(seen.before?.zombies.map((zombie) => [keyOf(zombie), zombie]));
  const zombies = found
    .map(({ domain: { vm, epoch, deployId, state, capacity }, reason }): StoredZombie => {
      const deploy_id = deployId;
      const known = earlier.get(keyOf({ vm, epoch, deploy_id }));
      const { since = now, error = null } = known ?? {};
      return { vm, epoch, deploy_id, state, capacity, reason, since, error };
    })
    .sort((one, other) => one.vm - other.vm);
  const wild = wilds
    .map(({ deployId, ...rest }): StoredWild => ({ ...rest, deploy_id: deployId }))
    .sort((one, other) => (one.name < other.name ? -1 : 1));
  const outside = { cpu: 0, memory: 0 };
  for (const { state, capacity } of [...zombies, ...wild]) {
    if (state !== 'running' && state !== 'booting') continue;
    outside.cpu += capacity.cpu;
    outside.memory += capacity.memory;
  }
  return {
    strays:
      zombies.length + wild.length === 0
        ? null
        : {
            zombies: zombies.slice(0, shownStrays),
            wilds: wild.slice(0, shownStrays),
            zombie_count: zombies.length,
            wild_count: wild.length,
          },
    outside,
    remove: zombies.filter(
      (zombie) => earlier.has(keyOf(zombie)) && ['removed', 'returned'].includes(fateOf(zombie, zombies, seen)),
    ),
  };
}

const keyOf = ({ vm, epoch, deploy_id }: Pick<StoredZombie, 'vm' | 'epoch' | 'deploy_id'>): string =>
  `${vm} ${epoch} ${deploy_id}`;
