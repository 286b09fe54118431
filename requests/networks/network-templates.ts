import { keptAttributes } from '../../domain/attribute-names.js';
import type { Caller } from '../../domain/identity/caller.js';
import { objectName } from '../../domain/identity/given-names.js';
import { permissionsOfNew } from '../../domain/identity/permission-bits.js';
import { saysConnection } from '../../domain/networks/connection.js';
import { contentsOf, networkOfTemplate, stored } from '../../domain/networks/network-template.js';
import { kinds } from '../../schemas/kinds.js';
import type { Network, NetworkResource } from '../../schemas/networks/network.js';
import type {
  CreateNetworkTemplate,
  InstantiateNetwork,
  NetworkTemplate,
  NetworkTemplateEdit,
  NetworkTemplateResource,
} from '../../schemas/networks/network-template.js';
import { untilChosen } from '../../store/mongo/choice-lost.js';
import { insertNetwork, networkFindings, planNetwork, refuse } from '../../store/networks/network-making.js';
import { authorised } from '../authorise.js';
import type { OperationsContext } from '../context.js';
import { nameFree } from '../free-name.js';
import { managed, objectsOf } from '../managed.js';
import { iso, namesFor, ownership } from '../resources.js';
import { refuseConnection } from './connection.js';
import { keptNetworks } from './networks.js';

export const networkTemplates = (context: OperationsContext) => {
  const kept = context.store.networkTemplates;
  return managed(context, 'network_template', {
    ...kept,
    async shown(caller: Caller, found: readonly NetworkTemplate[]): Promise<NetworkTemplateResource[]> {
      const names = await namesFor(context.directory, caller, found);
      return found.map((template) => ({
        ...{ id: template._id, name: template.name },
        ...{ ...ownership(template), ...names(template) },
        ...{ vn_mad: template.vn_mad, bridge: template.bridge ?? null, phydev: template.phydev ?? null },
        ...{ vlan_id: template.vlan_id ?? null, attributes: template.attributes },
        address_ranges: template.address_ranges,
        created_at: iso(template.created_at),
      }));
    },
    make: async (caller, wish: CreateNetworkTemplate) => {
      if (saysConnection(wish)) refuseConnection(caller);
      refuse(networkFindings(wish));
      const kept = stored({ address_ranges: [], ...wish, attributes: keptAttributes(wish.attributes ?? {}) });
      return (base): NetworkTemplate => ({ ...base, ...kept });
    },
    insert: (made, transaction) => kept.insert(made, transaction),
    editable: (template): NetworkTemplateEdit => contentsOf(template),
    async change(caller, wish: NetworkTemplateEdit, present, transaction) {
      const before = contentsOf(present);
      if (connectionText(wish) !== connectionText(before)) refuseConnection(caller);
      const after = { ...wish, attributes: keptAttributes(wish.attributes) };
      refuse(networkFindings(after));
      return kept.replace(present._id, { name: wish.name, ...stored(after) }, transaction);
    },
    remove: (_caller, { _id }, transaction) => kept.remove(_id, transaction),
  });
};

/**
 * A network of a template, of the caller's own. USE on the template is enough: whoever may make networks of it need not be one who may
 * make any, or say how they are connected.
 */
export const instantiateNetwork = (
  context: OperationsContext,
  caller: Caller,
  id: number,
  { name: given, ...more }: InstantiateNetwork,
): Promise<NetworkResource> =>
  untilChosen(async () => {
    const { store } = context;
    const template = authorised(caller, 'network_template', await store.networkTemplates.find(id), 'use', id);
    const _id = await store.counters.one(kinds.network.ids.pool);
    const name = objectName(given ?? `${template.name.slice(0, 100)}-${_id}`);
    const of = await planNetwork(store, caller, networkOfTemplate(template, name, more));
    const { uid, uname } = { uid: caller.id, uname: caller.name };
    const made: Network = of({
      ...{ _id, name, uid, gid: caller.gid, permissions: permissionsOfNew(caller), created_at: new Date() },
    });
    await nameFree('network', name, () =>
      store.quotas.makeCounted({ uid, uname }, 'networks', async (transaction) => {
        await store.references.makeFor(made, transaction);
        await insertNetwork(store, made, transaction);
      }),
    );
    return objectsOf(context, 'network', keptNetworks(context)).shownOne(caller, made);
  });

const connectionText = ({ vn_mad, bridge, phydev, vlan_id }: NetworkTemplateEdit): string =>
  JSON.stringify([vn_mad, bridge ?? null, phydev ?? null, vlan_id ?? null]);
