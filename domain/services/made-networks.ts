import type { Amounts } from '../../schemas/identity/amounts.js';
import type { Network } from '../../schemas/networks/network.js';
import type { ServiceNetwork } from '../../schemas/services/service-network.js';
import { added, chargeOfReservation, nothing } from '../identity/quotas.js';

/** What says how a network is made for a service; undefined: it was there before. */
const makingOf = ({ reserved, template }: ServiceNetwork): { made: boolean } | undefined => reserved ?? template;

/** Networks of a service that are made for it, and are not there yet. */
export const unmadeOf = ({ networks = [] }: { networks?: readonly ServiceNetwork[] }): ServiceNetwork[] =>
  networks.filter((network) => makingOf(network)?.made === false);

/** Those that were made for it and are there: they go before it is DONE. */
export const madeOf = ({ networks = [] }: { networks?: readonly ServiceNetwork[] }): ServiceNetwork[] =>
  networks.filter((network) => makingOf(network)?.made === true);

/** What a service is charged for what is reserved for it, from its admission on, whether it is made yet or not. */
export const chargeOfReservations = (networks: readonly ServiceNetwork[]): Amounts =>
  networks.reduce(
    (sum, { reserved }) => (reserved ? added(sum, chargeOfReservation(reserved.from, reserved.size)) : sum),
    nothing,
  );

/** What is known of networks that are to be made for a service, before they are there. */
export const comingOf = (networks: readonly ServiceNetwork[]): Pick<Network, '_id' | 'parent'>[] =>
  networks.flatMap((network) =>
    makingOf(network) ? [{ _id: network.id, parent: network.reserved?.from ?? null }] : [],
  );

/** The same networks, made or not; of those that were there before nothing is said. */
export const asMade = (networks: readonly ServiceNetwork[], made: boolean): ServiceNetwork[] =>
  networks.map(({ reserved, template, ...network }) => ({
    ...network,
    ...(reserved && { reserved: { ...reserved, made } }),
    ...(template && { template: { ...template, made } }),
  }));

/** As OpenNebula calls them; `taken`: its owner has one of that name already. */
export const madeName = ({ name, id }: ServiceNetwork, service: number, taken: boolean): string =>
  taken ? `${name.slice(0, 90)}-${service}-${id}` : `${name.slice(0, 100)}-${service}`;
