import type { HostNetworks } from '../../adapters/network/port.js';
import { placesOf } from '../../domain/vms/stays.js';
import { isOf, type NicsStore, wantedNics } from './plugged-nics.js';

/**
 * Gives what a host has plugged the filters that its groups say now, and removes NICs of VMs that are not on it, or have none of that number. What the host has is read first: whoever plugs one after
 * that does it under a later epoch, which fences. Again it is nothing to do; whatever ends it half-way, the next look goes on. `shares`: which of other hosts have the same networks, so that what they have plugged is found here, too.
 */
export async function settleHost(
  store: NicsStore,
  { id, networks, shares }: { id: number; networks: HostNetworks; shares: (others: number[]) => Promise<number[]> },
  signal: AbortSignal,
): Promise<{ secured: number; removed: number }> {
  const found = await networks.found(signal);
  if (found.length === 0) return { secured: 0, removed: 0 };
  const vms = await store.nics.places([...new Set(found.map(({ vm }) => vm))]);
  const wanted = await wantedNics(store, vms);
  const living = vms.filter(({ state }) => state !== 'DONE');
  const others = new Set(living.flatMap((vm) => placesOf(vm).map(({ hid }) => hid)).filter((hid) => hid !== id));
  const hids = [id, ...(others.size > 0 ? await shares([...others]) : [])];
  const here = new Set(living.filter((vm) => placesOf(vm).some(({ hid }) => hids.includes(hid))).map(({ _id }) => _id));
  const done = { secured: 0, removed: 0 };
  for (const nic of found) {
    const its = wanted.find((one) => isOf(one, nic));
    if (here.has(nic.vm) && its) {
      if (nic.revision === null || nic.revision >= its.filter.revision) continue;
      await networks.secure(its, signal);
      done.secured += 1;
    } else {
      const wire = its?.wire ?? { vn_mad: 'bridge', bridge: nic.bridge ?? '', phydev: null, vlan_id: null, mtu: null };
      await networks.unplug({ vm: nic.vm, nic: nic.nic, epoch: nic.epoch, wire }, signal);
      done.removed += 1;
    }
  }
  return done;
}
