import { mayBeOn, mayHaveGroup } from '../../domain/networks/network-use.js';
import { Problem } from '../../domain/problems.js';
import { type NetworkWish, type NicWish, networkText, nicWishes } from '../../domain/vms/nic-wishes.js';
import type { Network } from '../../schemas/networks/network.js';
import type { Vm } from '../../schemas/vms/vm.js';
import type { Directory } from '../identity/directory.js';
import type { NetworkStore } from '../networks/networks.js';
import type { Addressed, NicAsk } from '../networks/nic-addresses.js';
import type { SecurityGroupStore } from '../networks/security-groups.js';

type Maker = Parameters<typeof mayBeOn>[0];
export type NetworksFinding = {
  networks: Pick<NetworkStore, 'find' | 'named'>;
  securityGroups: Pick<SecurityGroupStore, 'byIds'>;
  users: Pick<Directory['users'], 'byName'>;
};

/** A NIC's wish with the network that it means. */
export type WishedNetwork = NicWish & { at: Network };

type Asker = { owner: number; maker: () => Promise<Maker | null> };

/** The networks that the NICs of a template wish, as `networksWished`. */
export const networksFor = (where: NetworksFinding, template: Vm['template'], asker: Asker): Promise<WishedNetwork[]> =>
  networksWished(where, nicWishes(template.NIC), asker);

/**
 * The networks that NICs of VMs of an owner wish. `pointer`: where the one wish stands that a request is about. Throws `invalid_request` with each that is not there, `not_authorized` for those
 * that `maker` may not USE.
 */
export async function networksWished(
  { networks, securityGroups, users }: NetworksFinding,
  wishes: readonly NicWish[],
  { owner, maker, pointer }: Asker & { pointer?: string },
): Promise<WishedNetwork[]> {
  if (wishes.length === 0) return [];
  const find = networkNamed({ networks, users });
  const found = await Promise.all(wishes.map(async (wish) => ({ wish, at: await find(wish.network, owner) })));
  const missing = found.filter(({ at }) => !at);
  if (missing.length > 0) {
    const said = missing.map(({ wish }) => `there is no ${networkText(wish.network)}${whose(wish.network)}`);
    throw new Problem('invalid_request', `The VM cannot be connected: ${said.join('; ')}.`, {
      findings: missing.map(({ wish }, at) => {
        const detail = said[at] ?? '';
        return pointer === undefined ? { pointer: '', detail: `NIC/${wish.nic_id}: ${detail}` } : { pointer, detail };
      }),
    });
  }
  const who = await maker();
  await refuseGroups();
  return found.flatMap(({ wish, at }) => {
    if (!at) return [];
    if (!who || !mayBeOn(who, at))
      throw new Problem('not_authorized', `You need the USE right on virtual network ${at._id}.`);
    return [{ ...wish, at }];
  });

  async function refuseGroups(): Promise<void> {
    const named = [...new Set(wishes.flatMap(({ groups = [] }) => groups))];
    if (named.length === 0) return;
    const there = await securityGroups.byIds(named);
    for (const id of named) {
      const group = there.find(({ _id }) => _id === id);
      if (!group) throw new Problem('invalid_request', `The VM cannot be connected: there is no security group ${id}.`);
      if (!who || !mayHaveGroup(who, group))
        throw new Problem('not_authorized', `You need the USE right on security group ${id}.`);
    }
  }
}

/** The network that a NIC of a VM of this owner means; null: there is none. */
export const networkNamed =
  ({ networks, users }: Omit<NetworksFinding, 'securityGroups'>) =>
  async (wish: NetworkWish, owner: number): Promise<Network | null> => {
    if ('id' in wish) return networks.find(wish.id);
    const uid = wish.owner === null ? owner : ((await users.byName(wish.owner))?._id ?? null);
    return uid === null ? null : networks.named(wish.name, uid);
  };

/** Whoever has none of this name, may mean another one's. */
const whose = (wish: NetworkWish): string =>
  'id' in wish ? '' : wish.owner === null ? ' of its owner (NETWORK_UNAME names another)' : ` of ${wish.owner}`;

/** What has to be asked of networks for a new VM. */
export const asksOf = ({ _id: vm, nics = [] }: Pick<Vm, '_id' | 'nics'>, wished: readonly WishedNetwork[]): NicAsk[] =>
  wished.flatMap(({ nic_id, at: network, ip, mac }) => {
    const nic = nics.find((one) => one.nic_id === nic_id);
    return nic ? [{ vm, nic, network, ip, mac }] : [];
  });

/** A VM with the addresses that were chosen for its NICs. */
export function withNics<V extends Pick<Vm, '_id' | 'nics'>>(vm: V, addressed: readonly Addressed[]): V {
  const nics = new Map(addressed.flatMap((one) => (one.vm === vm._id ? [[one.nic.nic_id, one.nic] as const] : [])));
  return nics.size === 0 ? vm : { ...vm, nics: vm.nics?.map((nic) => nics.get(nic.nic_id) ?? nic) };
}
