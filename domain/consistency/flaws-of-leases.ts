import type { LeaseHolder } from '../../schemas/networks/lease.js';
import { type Kinds, ofVm } from './flaw-kinds.js';

const said = (holder: LeaseHolder): string =>
  holder.type === 'hold' ? 'nobody, who is kept from it' : `${holder.type === 'vm' ? 'VM' : 'network'} ${holder.id}`;

/** What may be wrong with who has which address of virtual networks. */
export const leaseFlaws = {
  vm_lease_stale: {
    ...ofVm,
    part: ({ lease }) => lease,
    what: 'An address of a network is had by a VM that is DONE, or that has no NIC which says so',
    detail: ({ nic, network, is }) =>
      is === 'DONE'
        ? `It is DONE, and has an address of network ${network}, as its NIC ${nic}.`
        : `It has an address of network ${network} for NIC ${nic}, which is not there or has another one.`,
    repair: 'gives the address back',
    advice: null,
  },
  nic_lease_missing: {
    ...ofVm,
    part: ({ nic }) => nic,
    what: 'A NIC says to have an address of a network which nobody has: it would be given to somebody else, too',
    detail: ({ nic, place }) => `Its NIC ${nic} has an address of network ${place.network} that nobody has.`,
    repair: 'takes the address for the NIC, if its network is there and has it',
    advice: null,
  },
  nic_lease_taken: {
    ...ofVm,
    part: ({ nic }) => nic,
    what: 'A NIC says to have an address of a network which somebody else has',
    detail: ({ nic, place, holder }) =>
      `Its NIC ${nic} has an address of network ${place.network} that is had by ${said(holder)}.`,
    repair: null,
    advice:
      'See which of the two is to have it; detach the NIC of the other, and attach another one: arcus vm show <vm>',
  },
  lease_orphaned: {
    section: 'counters',
    of: ({ lease }) => lease,
    resource: ({ network }) => ({ type: 'network', id: network }),
    part: ({ lease }) => lease,
    what: 'An address of a network is had by a VM that does not exist, or by a reservation that does not exist or has it not',
    detail: ({ ar_id, index, holder }) =>
      holder.type === 'vm'
        ? `Address ${index} of its range ${ar_id} is had by VM ${holder.id}, which does not exist.`
        : `Address ${index} of its range ${ar_id} is reserved for ${said(holder)}, which has it not.`,
    repair: 'gives the address back',
    advice: null,
  },
  network_without_service: {
    section: 'counters',
    of: ({ network }) => network,
    resource: ({ network }) => ({ type: 'network', id: network }),
    what: 'A network says to be made for a service that does not exist, or has it not',
    detail: ({ service }) => `It says to be made for service ${service}, which does not exist or has it not.`,
    repair: 'makes it one that its owner keeps or removes, as any other',
    advice: null,
  },
} as const satisfies Kinds;
