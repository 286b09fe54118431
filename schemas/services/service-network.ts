import { z } from 'zod';
import { ObjectId } from '../common/common.js';
import { atMost, limits } from '../common/limits.js';
import { NewRange } from '../networks/addresses.js';

/** What a network of a service is to be. */
export const NetworkChoice = z
  .union([
    z.strictObject({ network_id: ObjectId.describe('One that is there, on which you have USE') }),
    z.strictObject({
      template_id: ObjectId.describe('A network of the service that is made of this template, on which you have USE'),
      address_ranges: z
        .array(NewRange)
        .max(limits.addressRanges.most, atMost('addressRanges'))
        .optional()
        .describe('Beside those of the template'),
    }),
    z.strictObject({
      reserve_from: ObjectId.describe('Addresses of this one, on which you have MANAGE, for a network of the service'),
      size: z
        .int()
        .min(1)
        .max(limits.reservation.most, `must be at most ${limits.reservation.most}`)
        .describe('How many addresses, one after the other'),
      ar_id: ObjectId.optional().describe('Of this range of it; absent: of the first that has so many'),
    }),
  ])
  .meta({ id: 'ServiceNetworkChoice' });
export type NetworkChoice = z.output<typeof NetworkChoice>;

/** What is reserved for a service, and whether that has been done. */
export type ServiceReservation = { from: number; size: number; ar_id?: number; made: boolean };

/** Of which template a network is made for a service, with which ranges beside, and whether that has been done. */
export type ServiceInstance = { id: number; address_ranges?: NewRange[]; made: boolean };

/**
 * A network of a service, under the name that its template has for it. Its id is known before there is a network of it: it is drawn
 * with the service, and whoever makes the network makes that one.
 */
export type ServiceNetwork = {
  name: string;
  id: number;
  reserved?: ServiceReservation;
  template?: ServiceInstance;
};

export const ServiceNetworkResource = z
  .object({
    name: z.string().describe('What its template calls it'),
    network_id: ObjectId,
    reserved_from: ObjectId.nullable().describe(
      'Its addresses are reserved of this one, for as long as there is the service; null: they are not',
    ),
    template_id: ObjectId.nullable().describe('It is made of this template of networks; null: it is not'),
    size: z.int().nullable().describe('How many addresses are reserved; null: none are'),
    made: z.boolean().describe('Whether it is there: what is reserved is made before the VMs, and removed after them'),
  })
  .meta({ id: 'ServiceNetwork' });
export type ServiceNetworkResource = z.infer<typeof ServiceNetworkResource>;
