import DataLoader from 'dataloader';
import type { NicName, PluggedNic } from '../../adapters/network/port.js';
import { nicFilter } from '../../domain/networks/nic-filter.js';
import { macOf } from '../../domain/vms/vm-devices.js';
import { NetworkDriver } from '../../schemas/networks/network.js';
import type { Vm } from '../../schemas/vms/vm.js';
import type { Store } from '../../store/store.js';

export type NicsStore = { nics: Pick<Store['nics'], 'places' | 'factsOf'> };

/** A NIC as its host is to have it, whoever holds its VM. */
export type WantedNic = Omit<PluggedNic, 'epoch'>;

/** The NICs of these VMs as hosts are to have them, by what their groups say now. */
export async function wantedNics(
  { nics }: NicsStore,
  vms: readonly Pick<Vm, '_id' | 'nics' | 'device_change'>[],
): Promise<WantedNic[]> {
  const { nics: all, mtu, rangesOf } = await nics.factsOf(vms);
  return all.flatMap(({ vm, nic, groups }): WantedNic[] => {
    const { lease } = nic;
    if (!lease) return [];
    const { bridge, phydev, vlan_id, ip, ip6_link, ip6_global, ip6_ula, guards = { mac: false, ip: false } } = lease;
    const mac = macOf(vm, nic);
    const wire = {
      vn_mad: NetworkDriver.parse(lease.vn_mad),
      bridge,
      phydev,
      vlan_id,
      mtu: bytesIn(mtu(lease.network)),
    };
    const filter = nicFilter(groups, { mac, ips: [ip, ip6_link, ip6_global, ip6_ula], guards }, rangesOf);
    return [{ vm, nic: nic.nic_id, wire, mac, filter }];
  });
}

const bytesIn = (text: string | null): number | null => (text === null || text === '' ? null : Number(text));

/**
 * Reads those of one VM, as they are when it is asked: those that are asked after at about the same moment, such as a batch that is
 * destroyed, are read together.
 */
export function wantedNicsReader(store: NicsStore): (vm: number) => Promise<WantedNic[]> {
  const moment = 3;
  const reader = new DataLoader<number, WantedNic[]>(
    async (vms) => {
      const all = await wantedNics(store, await store.nics.places(vms));
      return vms.map((vm) => all.filter((nic) => nic.vm === vm));
    },
    // What was read for one is old for the next.
    { cache: false, maxBatchSize: 200, batchScheduleFn: (read) => setTimeout(read, moment) },
  );
  return (vm) => reader.load(vm);
}

export const isOf = (one: NicName, other: NicName): boolean => one.vm === other.vm && one.nic === other.nic;
