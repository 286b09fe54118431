import type { HaAction } from '../../schemas/operations/ha-action.js';
import type { Vm } from '../../schemas/vms/vm.js';
import { type HostSnapshot, type PlacementWish, planning } from '../placement/placement.js';
import type { Sibling } from '../placement/placement-ties.js';
import type { DescribedDatastore } from '../storage/datastore-attributes.js';
import { wishOf } from '../vms/vm-wish.js';
import { type LostVm, planFailover } from './plan.js';

/** A VM of the host that is thought to fail: as a failover sees it, and what it would ask of another host. */
export type WhatIfVm = { vm: Parameters<typeof wishOf>[0] & Pick<Vm, '_id'>; lost: LostVm };

export type WhatIf = {
  host: number;
  action: HaAction;
  stopped: boolean;
  vms: readonly WhatIfVm[];
  hosts: readonly HostSnapshot[];
  datastores: readonly DescribedDatastore[];
  /** Where VMs of their services are. */
  siblings: readonly Sibling[];
};

/**
 * What would become of a VM. starts: on `host`; waits: for room, or for what is at work on it; ends: nothing is left of it; undeployed: it
 * stays off, and leaves the host; stays: as it is.
 */
export type WhatIfOutcome = 'starts' | 'waits' | 'ends' | 'undeployed' | 'stays';
export type WhatIfAnswer = { vm: number; outcome: WhatIfOutcome; host: number | null; why: string | null };

/**
 * What a failover of this host would come to, were it to fail now: one plan for all of its VMs, those first that others stand on. Nothing is done
 * of it, and whatever else is placed meanwhile changes it. Bit by bit, for a host may have thousands.
 */
export function* simulating(facts: WhatIf): Generator<void, WhatIfAnswer[]> {
  const { host, action, stopped, vms } = facts;
  const inOrder = vms.toSorted((one, other) => one.lost.after.length - other.lost.after.length);
  const { deeds, said } = planFailover({
    // In which order they start is told by the order of their wishes.
    vms: inOrder.map(({ lost }) => ({ ...lost, after: [] })),
    ...{ known: {}, action, stopped, host: 'off', deployments: new Map() },
  });
  yield;
  const starting = inOrder.filter(({ lost: { id } }) => starts(deeds.get(id)));
  const plan = yield* planning(
    // Whoever is to be with one that was there is told that its host has failed.
    facts.hosts.map((one) => (one.id === host ? { ...one, state: 'ERROR' as const } : one)),
    starting.map(
      ({ vm, lost }): PlacementWish => wishOf(deeds.get(lost.id) === 'clear' ? { ...vm, datastore: null } : vm),
    ),
    undefined,
    { siblings: facts.siblings.filter((sibling) => sibling.host !== host), datastores: facts.datastores },
  );
  const placed = new Map(plan.placed.map(({ vm, host: at }) => [vm, at]));
  const unplaced = new Map(plan.unplaced.map(({ vm, reason }) => [vm, reason]));
  return inOrder.flatMap(({ lost: { id } }): WhatIfAnswer[] => {
    const at = placed.get(id);
    if (at !== undefined) return [{ vm: id, outcome: 'starts', host: at, why: null }];
    const nowhere = unplaced.get(id);
    if (nowhere !== undefined) return [{ vm: id, outcome: 'waits', host: null, why: nowhere }];
    const deed = deeds.get(id);
    if (deed === 'end') return [{ vm: id, outcome: 'ends', host: null, why: null }];
    if (deed === 'vacate') return [{ vm: id, outcome: 'undeployed', host: null, why: null }];
    const { outcome, why } = said.get(id) ?? { outcome: 'gone', why: null };
    if (outcome === 'gone') return [];
    return [{ vm: id, outcome: outcome === 'stays' ? 'stays' : 'waits', host: null, why }];
  });
}

const starts = (deed: string | undefined): boolean => deed === 'clear' || deed === 'leave';
