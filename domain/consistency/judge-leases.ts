import type { AddressRange } from '../../schemas/networks/addresses.js';
import type { Lease, LeaseHolder, LeasePlace } from '../../schemas/networks/lease.js';
import { leaseKey } from '../networks/lease-key.js';
import { type Flaw, flaw } from './evidence.js';
import { isMoving, type SeenVm, type Surroundings } from './hands.js';
import { seenOf } from './judge-vms.js';

export type SeenLease = Omit<Lease, 'taken_at'>;

/** `had`: by each VM, what it has of networks; `at`: who has the addresses that its NICs say to have, by their keys. */
export type AroundNics = Surroundings & {
  had: ReadonlyMap<number, readonly SeenLease[]>;
  at: ReadonlyMap<number, LeaseHolder>;
};

/** What VMs have of networks that their NICs do not say, and the other way round, where no operation is about to change that. */
export const judgeNics = (vms: readonly SeenVm[], known: AroundNics): Flaw[] =>
  vms.flatMap((vm) => (isMoving(vm, known) ? [] : [...surplusOf(vm, known), ...lackingOf(vm, known)]));

/** What the NICs of a VM say to have, with the one of which it is not settled whether it is there. */
export function saidBy({ state, nics = [], device_change: last }: SeenVm): { nic: number; place: LeasePlace }[] {
  if (state === 'DONE') return [];
  const coming = last?.open && last.change.action === 'nic-attach' ? [last.change.nic] : [];
  return [...nics, ...coming].flatMap(({ nic_id: nic, lease }) => {
    if (!lease) return [];
    const { network, ar_id, index } = lease;
    return [{ nic, place: { network, ar_id, index } }];
  });
}

function surplusOf(vm: SeenVm, { had }: AroundNics): Flaw[] {
  const said = new Map(saidBy(vm).map(({ nic, place }) => [nic, leaseKey(place)]));
  return (had.get(vm._id) ?? []).flatMap(({ _id: lease, network, holder }) => {
    if (holder.type !== 'vm' || said.get(holder.nic) === lease) return [];
    const is = vm.state === 'DONE' ? ('DONE' as const) : ('other' as const);
    return [flaw('vm_lease_stale', { vm: vm._id, nic: holder.nic, network, lease, is })];
  });
}

function lackingOf(vm: SeenVm, { at }: AroundNics): Flaw[] {
  return saidBy(vm).flatMap(({ nic, place }): Flaw[] => {
    const holder = at.get(leaseKey(place));
    if (!holder) return [flaw('nic_lease_missing', { ...seenOf(vm), nic, place })];
    const isIts = holder.type === 'vm' && holder.id === vm._id && holder.nic === nic;
    return isIts ? [] : [flaw('nic_lease_taken', { vm: vm._id, nic, place, holder })];
  });
}

/** Those whose VM is not there, or whose network is not or was not made of them. `vms`: those that there are. */
export const judgeHolders = (
  leases: readonly SeenLease[],
  { vms, networks }: { vms: ReadonlySet<number>; networks: ReadonlyMap<number, readonly AddressRange[]> },
): Flaw[] =>
  leases.flatMap(({ _id: lease, network, ar_id, index, holder }) => {
    if (holder.type === 'hold') return [];
    const isOf = ({ from, size }: AddressRange): boolean =>
      from?.network === network && from.ar_id === ar_id && index >= from.first && index < from.first + size;
    const fits = holder.type === 'vm' ? vms.has(holder.id) : (networks.get(holder.id) ?? []).some(isOf);
    return fits ? [] : [flaw('lease_orphaned', { network, lease, ar_id, index, holder })];
  });
