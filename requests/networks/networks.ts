import { keptAttributes } from '../../domain/attribute-names.js';
import type { Caller } from '../../domain/identity/caller.js';
import { isAdministrator } from '../../domain/identity/permissions.js';
import {
  connectionFindings,
  connectionOf,
  drawsVlan,
  freeVlan,
  saysConnection,
} from '../../domain/networks/connection.js';
import { attributeFindings } from '../../domain/networks/network-attributes.js';
import { planRanges } from '../../domain/networks/ranges.js';
import { type Finding, Problem } from '../../domain/problems.js';
import type { Page, PageQuery } from '../../schemas/common/common.js';
import type { LeaseResource } from '../../schemas/networks/lease.js';
import type { CreateNetwork, Network, NetworkEdit, NetworkResource } from '../../schemas/networks/network.js';
import { untilChosen } from '../../store/networks/choice-lost.js';
import { authorised } from '../authorise.js';
import type { OperationsContext } from '../context.js';
import { managed } from '../managed.js';
import { namesFor } from '../resources.js';
import { mostNamed, refuseInUse } from './holders.js';
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
      if (saysConnection(wish) && !isAdministrator(caller))
        throw new Problem(
          'not_authorized',
          'Only administrators may say how VMs are connected on hosts: leave out vn_mad, bridge, phydev and vlan_id.',
        );
      const attributes = keptAttributes(wish.attributes ?? {});
      const planned = planRanges(wish.address_ranges ?? [], {
        ...{ next: 0, others: [], under: '/address_ranges', chance: Math.random },
      });
      refuse([...connectionFindings(wish), ...attributeFindings(attributes, '/attributes'), ...planned.findings]);
      const vlan = drawsVlan(wish) ? await drawn(context, wish) : null;
      return (base): Network => ({
        ...base,
        ...connectionOf(base._id, wish, vlan),
        ...{ attributes, ranges: planned.ranges, next_ar: planned.ranges.length, parent: null },
      });
    },
    async insert(made, transaction) {
      const { _id, vn_mad, vlan_id, vlan_drawn } = made;
      if (vlan_drawn && vlan_id !== null) await store.networks.drawVlan(_id, vn_mad, vlan_id, transaction);
      await store.networks.insert(made, transaction);
    },
    editable: ({ name, attributes }): NetworkEdit => ({ name, attributes }),
    async change(_caller, { name, attributes }, present, transaction) {
      const before = attributeFindings(present.attributes, '/attributes');
      refuse(
        attributeFindings(attributes, '/attributes').filter(
          ({ pointer, detail }) => !before.some((one) => one.pointer === pointer && one.detail === detail),
        ),
      );
      return store.networks.replace(present._id, { name, attributes }, transaction);
    },
    async remove(_caller, network, transaction) {
      const { _id: id, name, ranges } = network;
      await store.leases.shut(id, transaction);
      const holding = await store.leases.holding(id, { most: mostNamed }, transaction);
      refuseInUse(`Virtual network ${id} (${name})`, holding, 'Take it from them first, or release what is held.');
      for (const range of ranges) await store.leases.releaseReserved(id, range, transaction);
      await store.networks.giveVlanBack(id, transaction);
      await store.leases.forget(id, ranges, transaction);
      await store.networks.remove(id, transaction);
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

export function refuse(findings: readonly Finding[]): void {
  if (findings.length > 0) throw new Problem('invalid_request', 'The network cannot be like that.', { findings });
}

async function drawn({ store }: OperationsContext, { vn_mad }: CreateNetwork): Promise<number> {
  const vlan = freeVlan(vn_mad, await store.networks.vlansOf(vn_mad));
  if (vlan === null)
    throw new Problem('wrong_state', `No number of a VLAN is left for ${vn_mad}: networks have them all.`);
  return vlan;
}
