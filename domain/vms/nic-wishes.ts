import { Ip4 } from '../../schemas/common/ip4.js';
import { Mac } from '../../schemas/common/mac.js';
import type { NewNic } from '../../schemas/operations/vm-devices.js';
import { groupIdsIn } from '../networks/security-groups.js';
import { listOf, textOf } from './template-values.js';

/** Which network a NIC of a template is to be on: by its id, or by its name among those of a user; `owner` null: of the VM's owner. */
export type NetworkWish = { id: number } | { name: string; owner: string | null };

/** What a NIC of a template wishes of a network. `ip`, `mac`: that very address; `groups`: security groups beside the network's. */
export type NicWish = { nic_id: number; network: NetworkWish; ip?: string; mac?: string; groups?: number[] };

const isId = (text: string): boolean => /^\d{1,9}$/.test(text);

/**
 * What the NICs of a VM template wish, those alone that name a network: NETWORK_ID, or NETWORK and NETWORK_UNAME; as in OpenNebula the
 * id goes before the name. Ids of NICs are their places among all.
 */
export const nicWishes = (NIC: unknown): NicWish[] =>
  listOf(NIC).flatMap((nic, nic_id): NicWish[] => {
    const [id, name] = [textOf(nic.NETWORK_ID), textOf(nic.NETWORK)];
    const network: NetworkWish | null =
      id !== undefined && isId(id)
        ? { id: Number(id) }
        : name === undefined
          ? null
          : { name, owner: textOf(nic.NETWORK_UNAME) ?? null };
    if (network === null) return [];
    const [ip, mac] = [Ip4.safeParse(nic.IP), Mac.safeParse(nic.MAC)];
    const groups = groupIdsIn(textOf(nic.SECURITY_GROUPS) ?? '') ?? [];
    return [
      {
        ...{ nic_id, network, ...(ip.success && { ip: ip.data }), ...(mac.success && { mac: mac.data }) },
        ...(groups.length > 0 && { groups }),
      },
    ];
  });

/** What a NIC that is to be attached wishes. */
export const wishOfNic = (nic_id: number, { network, network_uname, ip, mac, security_groups }: NewNic): NicWish => ({
  nic_id,
  network: typeof network === 'number' ? { id: network } : { name: network, owner: network_uname ?? null },
  ...(ip !== undefined && { ip }),
  ...(mac !== undefined && { mac }),
  ...(security_groups !== undefined && { groups: security_groups }),
});

/** In sentences. */
export const networkText = (wish: NetworkWish): string =>
  'id' in wish ? `virtual network ${wish.id}` : `virtual network ${JSON.stringify(wish.name)}`;
