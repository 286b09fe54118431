import type { Connection } from 'mongoose';
import type { AddressRange } from '../../schemas/networks/addresses.js';
import { defaultSecurityGroup, type SecurityGroup } from '../../schemas/networks/security-group.js';
import type { Nic } from '../../schemas/operations/vm-devices.js';
import type { Vm } from '../../schemas/vms/vm.js';
import type { NetworkStore } from '../networks/networks.js';
import type { SecurityGroupStore } from '../networks/security-groups.js';

/** What hosts have to know of the NICs of VMs: what they are connected to, and what may pass. */
export type NicFacts = {
  nics: { vm: number; nic: Nic; groups: SecurityGroup[] }[];
  /** Bytes; null: nobody says. */
  mtu: (network: number) => string | null;
  rangesOf: (network: number) => readonly AddressRange[];
};

type NicsVm = Pick<Vm, '_id' | 'nics' | 'device_change'>;

/** The NICs of a VM that are of networks, the one among them of which it is not settled whether it is there. */
export const leasedNics = ({ nics = [], device_change: last }: NicsVm): Nic[] => {
  const attaching = last?.open && last.change.action === 'nic-attach' ? [last.change.nic] : [];
  const others = attaching.filter(({ nic_id }) => !nics.some((nic) => nic.nic_id === nic_id));
  return [...nics, ...others].filter(({ lease }) => lease !== undefined);
};

export function createNics(
  connection: Connection,
  { networks, securityGroups }: { networks: NetworkStore; securityGroups: SecurityGroupStore },
) {
  return {
    /** Where VMs are, and what NICs they have. One that is not there, is not in the answer. */
    places: (ids: readonly number[]) =>
      connection
        .collection<Vm>('vms')
        .find(
          { _id: { $in: [...ids] } },
          { projection: { nics: 1, device_change: 1, history: { $slice: -1 }, moving: 1, state: 1 } },
        )
        .toArray(),

    /** Of a group that is not there, nothing passes. */
    async factsOf(vms: readonly NicsVm[]): Promise<NicFacts> {
      const all = vms.flatMap((vm) => leasedNics(vm).map((nic) => ({ vm: vm._id, nic })));
      if (all.length === 0) return { nics: [], mtu: () => null, rangesOf: () => [] };
      const groupsOf = ({ security_groups: groups = [defaultSecurityGroup] }: Nic): number[] => groups;
      const groups = await securityGroups.byIds([...new Set(all.flatMap(({ nic }) => groupsOf(nic)))]);
      const named = groups.flatMap(({ rules }) => rules.flatMap(({ network_id }) => network_id ?? []));
      const found = await networks.byIds([
        ...new Set([...all.flatMap(({ nic }) => nic.lease?.network ?? []), ...named]),
      ]);
      const at = (network: number) => found.find(({ _id }) => _id === network);
      return {
        nics: all.map(({ vm, nic }) => ({
          ...{ vm, nic },
          groups: groups.filter(({ _id }) => groupsOf(nic).includes(_id)),
        })),
        mtu: (network) => at(network)?.attributes.MTU ?? null,
        rangesOf: (network) => at(network)?.ranges ?? [],
      };
    },
  };
}
export type NicStore = ReturnType<typeof createNics>;
