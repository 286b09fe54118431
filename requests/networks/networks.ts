import type { Caller } from '../../domain/identity/caller.js';
import { saysConnection } from '../../domain/networks/connection.js';
import { refuseInUse } from '../../domain/networks/holders.js';
import { attributeFindings } from '../../domain/networks/network-attributes.js';
import { groupsOfNetwork } from '../../domain/networks/security-groups.js';
import { Problem } from '../../domain/problems.js';
import type { Page, PageQuery } from '../../schemas/common/common.js';
import type { LeaseResource } from '../../schemas/networks/lease.js';
import type { CreateNetwork, Network, NetworkEdit, NetworkResource } from '../../schemas/networks/network.js';
import { untilChosen } from '../../store/mongo/choice-lost.js';
import { insertNetwork, nameGroups, planNetwork, refuse, refuseGroups } from '../../store/networks/network-making.js';
import { authorised } from '../authorise.js';
import type { OperationsContext } from '../context.js';
import { managed } from '../managed.js';
import { namesFor } from '../resources.js';
import { refuseConnection } from './connection.js';
import { leaseResources, networkResource } from './network-resources.js';

/** How networks are found and shown, for whoever looks at or edits one. */
export const keptNetworks = ({ store, directory }: OperationsContext) => ({
  find: store.networks.find,
  async shown(caller: Caller, found: readonly Network[]): Promise<NetworkResource[]> {
    const [used, names] = await Promise.all([
      store.leases.used(found.map(({ _id }) => _id)),
      namesFor(directory, caller, found),
    ]);
    return found.map((network) => networkResource(network, used, names));
  },
});

export const networks = (context: OperationsContext) => {
  const { store } = context;
  const requests = managed(context, 'network', {
    ...store.networks,
    ...keptNetworks(context),
    make: async (caller, wish: CreateNetwork) => {
      if (saysConnection(wish)) refuseConnection(caller);
      return planNetwork(store, caller, wish);
    },
    insert: (made, transaction) => insertNetwork(store, made, transaction),
    editable: ({ name, attributes }): NetworkEdit => ({ name, attributes }),
    async change(caller, { name, attributes }, present, transaction) {
      const before = attributeFindings(present.attributes, '/attributes');
      refuse(
        attributeFindings(attributes, '/attributes').filter(
          ({ pointer, detail }) => !before.some((one) => one.pointer === pointer && one.detail === detail),
        ),
      );
      const known = groupsOfNetwork(present.attributes);
      const added = groupsOfNetwork(attributes).filter((id) => !known.includes(id));
      await refuseGroups(store, caller, added);
      await nameGroups(store, added, transaction);
      return store.networks.replace(present._id, { name, attributes }, transaction);
    },
    async remove(_caller, network, transaction) {
      const { _id: id, name, service } = network;
      if (service !== undefined)
        throw new Problem(
          'in_use',
          `Virtual network ${id} (${name}) was made for service ${service}, and goes with it: undeploy or delete that.`,
        );
      const holding = await store.reservations.inUse(network, transaction);
      refuseInUse(`Virtual network ${id} (${name})`, holding, 'Take it from them first, or release what is held.');
      await store.reservations.remove(network, transaction);
    },
  });
  return {
    ...requests,
    create: (caller: Caller, wish: CreateNetwork) => untilChosen(() => requests.create(caller, wish)),

    /** Who has which of its addresses. */
    async leases(caller: Caller, id: number, query: PageQuery): Promise<Page<LeaseResource>> {
      const network = authorised(caller, 'network', await store.networks.find(id), 'use', id);
      const page = await store.leases.list(id, query);
      return { ...page, items: leaseResources(network, page.items) };
    },
  };
};
