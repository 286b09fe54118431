import { z } from 'zod';
import { ObjectId, Timestamp } from '../common/common.js';
import { Address } from './addresses.js';

/**
 * Who has an address: a NIC of a VM, a network that was made of addresses of this one, or nobody but that it is held back.
 * `nic`: of a VM alone.
 */
export type LeaseHolder = { type: 'vm'; id: number; nic: number } | { type: 'network'; id: number } | { type: 'hold' };

/** Which address it is: the how-manieth of which range. */
export type LeasePlace = { network: number; ar_id: number; index: number };

/** An address that somebody has, as stored; one that nobody has is not there. `_id`: of its place, so that it is there once. */
export type Lease = LeasePlace & { _id: number; holder: LeaseHolder; taken_at: Date };

export const LeaseResource = Address.extend({
  ar_id: ObjectId.describe('Of its range'),
  holder: z.object({
    type: z.enum(['vm', 'network', 'hold']).describe('network: it was reserved; hold: it is kept back'),
    id: ObjectId.nullable().describe('Of the VM or the network'),
    nic_id: ObjectId.nullable().describe('Of the NIC of a VM'),
  }),
  taken_at: Timestamp,
}).meta({ id: 'Lease' });
export type LeaseResource = z.infer<typeof LeaseResource>;
