import type { ServiceNetwork } from '../../schemas/services/service-network.js';
import { madeOf } from '../services/made-networks.js';
import { type Flaw, flaw } from './evidence.js';

/** A service with what it says of its networks. */
export type SeenNetworks = { _id: number; networks?: readonly ServiceNetwork[] };

/** Networks that were made for a service, as it says, and are not there. `there`: those that are. */
export const judgeMadeNetworks = (services: readonly SeenNetworks[], there: ReadonlySet<number>): Flaw[] =>
  services.flatMap((service) =>
    madeOf(service).flatMap(({ id: network, name }) =>
      there.has(network) ? [] : [flaw('service_network_missing', { service: service._id, network, name })],
    ),
  );

/** Networks that say to be of a service that has them not. `services`: those of them that there are. */
export const judgeKeptNetworks = (
  networks: readonly { _id: number; service: number }[],
  services: readonly SeenNetworks[],
): Flaw[] => {
  const made = new Map(services.map((service) => [service._id, new Set(madeOf(service).map(({ id }) => id))]));
  return networks.flatMap(({ _id: network, service }) =>
    made.get(service)?.has(network) ? [] : [flaw('network_without_service', { network, service })],
  );
};
