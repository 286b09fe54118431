import type { Connection, Model } from 'mongoose';
import { refuseInUse } from '../../domain/networks/holders.js';
import { networkOfTemplate } from '../../domain/networks/network-template.js';
import { refuseOfReservation, reservationOf } from '../../domain/networks/reservation.js';
import { Problem } from '../../domain/problems.js';
import { asMade, madeName, madeOf, unmadeOf } from '../../domain/services/made-networks.js';
import type { Ownership } from '../../schemas/common/common.js';
import type { Network } from '../../schemas/networks/network.js';
import type { NetworkTemplate } from '../../schemas/networks/network-template.js';
import type { Service } from '../../schemas/services/service.js';
import type { DocumentStore } from '../documents.js';
import type { QuotaStore } from '../identity/quotas.js';
import { untilChosen } from '../mongo/choice-lost.js';
import { isDuplicateKey } from '../mongo/duplicate-key.js';
import type { References } from '../mongo/references.js';
import { type Transaction, within, withTransaction } from '../mongo/transaction.js';
import type { Leases } from '../networks/leases.js';
import { insertNetwork, planNetwork } from '../networks/network-making.js';
import type { NetworkStore } from '../networks/networks.js';
import type { Reservations } from '../networks/reservations.js';
import type { SecurityGroupStore } from '../networks/security-groups.js';
import { hasAny } from './hands.js';

/** For whom networks are made: throws where he may not reserve of a network, or make one of a template. */
export type NetworkAsker = {
  reserveOf: (parent: Network) => void;
  useTemplate: (template: NetworkTemplate) => void;
  maker: Parameters<typeof planNetwork>[1];
};

type Stores = {
  services: Model<Service>;
  networks: NetworkStore;
  networkTemplates: Pick<DocumentStore<'network_template'>, 'find'>;
  securityGroups: Pick<SecurityGroupStore, 'byIds'>;
  leases: Leases;
  reservations: Reservations;
  references: References;
  quotas: QuotaStore;
};

/**
 * Networks that are made for a service. Their ids were drawn with it, and it says which of them are there: all that is made or removed,
 * is so in one transaction that writes the service, guarded by who has it. Whoever was frozen, or comes twice, finds it done, or
 * matches nothing.
 */
export function createServiceNetworks(
  connection: Connection,
  { services, networks, networkTemplates, securityGroups, leases, reservations, references, quotas }: Stores,
) {
  const making = { networks, securityGroups, references };

  /** The service, if the operation has all or some of it, and `wanted` is who is to have it next; written, so that of two who do this one goes again. */
  const had = (id: number, op: string, wanted: string | null, transaction: Transaction): Promise<Service | null> =>
    services
      .findOneAndUpdate({ _id: id, wanted, ...hasAny(op) }, { $inc: { network_changes: 1 } }, within(transaction))
      .lean<Service>()
      .exec();

  const write = ({ _id, networks: its = [] }: Service, made: boolean, transaction: Transaction) =>
    services.updateOne({ _id }, { $set: { networks: asMade(its, made) } }, within(transaction));

  async function makeIn(service: Service, asker: NetworkAsker, transaction: Transaction): Promise<number[]> {
    const { _id: id, uid, gid, permissions } = service;
    const unmade = unmadeOf(service);
    for (const { id: network, name, reserved, template } of unmade) {
      const nameOf = async (): Promise<string> => {
        const wish = { name, id: network };
        const isTaken = (await networks.named(madeName(wish, id, false), uid, transaction)) !== null;
        return madeName(wish, id, isTaken);
      };
      const base = { _id: network, uid, gid, permissions, created_at: new Date() };
      if (template) {
        const from = await networkTemplates.find(template.id, transaction);
        if (!from)
          throw new Problem('not_found', `There is no network template ${template.id}, of which ${name} is made.`);
        asker.useTemplate(from);
        const called = await nameOf();
        const more = template.address_ranges && { address_ranges: template.address_ranges };
        const of = await planNetwork(making, asker.maker, networkOfTemplate(from, called, { ...more }));
        await insertNetwork(making, { ...of({ ...base, name: called }), service: id }, transaction);
      }
      if (!reserved) continue;
      const { from, size, ar_id } = reserved;
      const parent = await networks.find(from, transaction);
      if (!parent) throw new Problem('not_found', `There is no virtual network ${from}, of which ${name} is reserved.`);
      asker.reserveOf(parent);
      refuseOfReservation(parent);
      const run = await reservations.freeRun(parent, { size, ar_id }, transaction);
      await reservations.takeRun(parent, run, { child: network, size }, transaction);
      const made: Network = {
        ...{ ...base, name: await nameOf() },
        ...{ ...reservationOf(parent, run, size), service: id },
      };
      await networks.insert(made, transaction);
    }
    await write(service, true, transaction);
    return unmade.map(({ id: network }) => network);
  }

  /** What was made is there no more; throws `in_use` where somebody else has an address of it. */
  async function removeIn(service: Service, transaction: Transaction): Promise<void> {
    for (const { id, name } of madeOf(service)) {
      const network = await networks.find(id, transaction);
      if (!network) continue;
      await leases.releaseAllHeld(id, transaction);
      const holding = await reservations.inUse(network, transaction);
      refuseInUse(
        `Virtual network ${id} (${network.name}), ${name} of the service,`,
        holding,
        'Take it from them first.',
      );
      await reservations.remove(network, transaction);
    }
    await write(service, false, transaction);
  }

  return {
    /**
     * Makes what is not there yet for a deployment that has the service: all of it, or nothing. Returns their ids.
     */
    make: (
      { _id, uid, uname }: Pick<Service, '_id' | 'uid'> & { uname?: string },
      op: string,
      asker: NetworkAsker,
    ): Promise<number[]> =>
      untilChosen(() =>
        quotas.makeCounted({ uid, ...(uname !== undefined && { uname }) }, 'networks', async (transaction) => {
          const service = await had(_id, op, null, transaction);
          if (!service) return [];
          await references.makeFor(service, transaction);
          return makeIn(service, asker, transaction);
        }),
      ),

    /** Removes those of a service whose undeployment has it, once its roles are DONE. */
    remove: (id: number, op: string): Promise<void> =>
      withTransaction(connection, async (transaction) => {
        const service = await had(id, op, op, transaction);
        if (service?.roles.every(({ state }) => state === 'DONE')) await removeIn(service, transaction);
      }),

    /** Of a deployment that ends without a VM, in the transaction of its end; what somebody else uses stays. */
    async undo(service: Service, transaction: Transaction): Promise<void> {
      const made = madeOf(service);
      for (const { id } of made) {
        const network = await networks.find(id, transaction);
        if (!network) continue;
        const holding = await reservations.inUse(network, transaction);
        if (holding.some(({ holder }) => holder.type !== 'hold')) return;
      }
      if (made.length > 0) await removeIn(service, transaction);
    },

    /** They go with the service to whoever it is given to, in the transaction that gives it. */
    async give(service: Service, owner: Ownership, uname: string | undefined, transaction: Transaction): Promise<void> {
      const ids = madeOf(service).map(({ id }) => id);
      if (ids.length === 0) return;
      try {
        await networks.model.updateMany({ _id: { $in: ids } }, { $set: owner }, within(transaction));
      } catch (error) {
        if (!isDuplicateKey(error)) throw error;
        throw new Problem('name_taken', 'The new owner has a virtual network of the name of one of this service.');
      }
      if (owner.uid !== service.uid)
        await quotas.demandRoom({ uid: owner.uid, ...(uname !== undefined && { uname }) }, 'networks', transaction);
    },
  };
}
export type ServiceNetworks = ReturnType<typeof createServiceNetworks>;
