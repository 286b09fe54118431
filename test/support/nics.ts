import type { PluggedNic, Wire } from '../../adapters/network/port.js';
import type { Allowed, NicFilter } from '../../schemas/networks/nic-filter.js';

export const onBridge = (bridge: string): Wire => ({
  vn_mad: 'bridge',
  bridge,
  phydev: null,
  vlan_id: null,
  mtu: null,
});

const whatever: Allowed = { protocol: 'ALL', ports: null, icmpType: null, peers: null };

export const allowed = (change: Partial<Allowed>): Allowed => ({ ...whatever, ...change });

/** Lets everything pass, unless it is told otherwise. */
export const filterOf = (change: Partial<NicFilter> = {}): NicFilter => ({
  ...{ revision: 1, inbound: [whatever], outbound: [whatever], mac: null, ips: null },
  ...change,
});

export const nicOf = (vm: number, change: Partial<PluggedNic> = {}): PluggedNic => ({
  ...{ vm, nic: 0, epoch: 1, wire: onBridge('onebr7'), mac: `02:00:0a:00:00:${vm.toString(16).padStart(2, '0')}` },
  filter: filterOf(),
  ...change,
});
