import { keptAttributes } from '../../domain/attribute-names.js';
import { connectionFindings, connectionOf, drawsVlan, freeVlan } from '../../domain/networks/connection.js';
import { attributeFindings } from '../../domain/networks/network-attributes.js';
import { mayHaveGroup } from '../../domain/networks/network-use.js';
import { planRanges } from '../../domain/networks/ranges.js';
import { groupsOfNetwork } from '../../domain/networks/security-groups.js';
import { type Finding, Problem } from '../../domain/problems.js';
import type { CreateNetwork, Network } from '../../schemas/networks/network.js';
import type { References } from '../mongo/references.js';
import type { Transaction } from '../mongo/transaction.js';
import type { NetworkStore } from './networks.js';
import type { SecurityGroupStore } from './security-groups.js';

/** Of what networks are made. */
export type MakingStores = {
  networks: NetworkStore;
  securityGroups: Pick<SecurityGroupStore, 'byIds'>;
  references: Pick<References, 'touch'>;
};
/** What every object has. */
type Base = Pick<Network, '_id' | 'name' | 'uid' | 'gid' | 'permissions' | 'created_at'>;
type Maker = Parameters<typeof mayHaveGroup>[0];

/** Everything that is wrong with what a network, or what is made of a template of networks, is to be. */
export const networkFindings = (wish: CreateNetwork): Finding[] => looked(wish).findings;

/** What a wish comes to, and everything that is wrong with it. */
function looked(wish: CreateNetwork) {
  const attributes = keptAttributes(wish.attributes ?? {});
  const { ranges, findings } = planRanges(wish.address_ranges ?? [], {
    ...{ next: 0, others: [], under: '/address_ranges', chance: Math.random },
  });
  return {
    ...{ attributes, ranges },
    findings: [...connectionFindings(wish), ...attributeFindings(attributes, '/attributes'), ...findings],
  };
}

/** A network as it is wished for, of what every object has. Who may say how it is connected has been asked. */
export async function planNetwork(
  stores: MakingStores,
  caller: Maker,
  wish: CreateNetwork,
): Promise<(base: Base) => Network> {
  const { attributes, ranges, findings } = looked(wish);
  refuse(findings);
  await refuseGroups(stores, caller, groupsOfNetwork(attributes));
  const vlan = drawsVlan(wish) ? await drawn(stores, wish) : null;
  return (base) => ({
    ...base,
    ...connectionOf(base._id, wish, vlan),
    ...{ attributes, ranges, next_ar: ranges.length, parent: null },
  });
}

/** Writes one that was planned. Throws ChoiceLost where another one has drawn its VLAN meanwhile. */
export async function insertNetwork(stores: MakingStores, made: Network, transaction: Transaction): Promise<void> {
  const { _id, vn_mad, vlan_id, vlan_drawn } = made;
  if (vlan_drawn && vlan_id !== null) await stores.networks.drawVlan(_id, vn_mad, vlan_id, transaction);
  await nameGroups(stores, groupsOfNetwork(made.attributes), transaction);
  await stores.networks.insert(made, transaction);
}

export function refuse(findings: readonly Finding[]): void {
  if (findings.length > 0) throw new Problem('invalid_request', 'The network cannot be like that.', { findings });
}

async function drawn({ networks }: MakingStores, { vn_mad }: CreateNetwork): Promise<number> {
  const vlan = freeVlan(vn_mad, await networks.vlansOf(vn_mad));
  if (vlan === null)
    throw new Problem('wrong_state', `No number of a VLAN is left for ${vn_mad}: networks have them all.`);
  return vlan;
}

const groupsPointer = '/attributes/SECURITY_GROUPS';

/** Whoever names a security group for a network may USE it. */
export async function refuseGroups(
  { securityGroups }: Pick<MakingStores, 'securityGroups'>,
  caller: Maker,
  ids: readonly number[],
): Promise<void> {
  const there = await securityGroups.byIds(ids);
  const mayHave = (id: number): boolean => there.some((group) => group._id === id && mayHaveGroup(caller, group));
  refuse(
    ids
      .filter((id) => !mayHave(id))
      .map((id) => ({ pointer: groupsPointer, detail: `there is no security group ${id} that you may USE` })),
  );
}

/** In the transaction that names them: nobody removes one meanwhile. */
export async function nameGroups(
  { references }: Pick<MakingStores, 'references'>,
  ids: readonly number[],
  transaction: Transaction,
): Promise<void> {
  const gone = await references.touch('security_group', ids, transaction);
  refuse(gone.map((id) => ({ pointer: groupsPointer, detail: `there is no security group ${id}` })));
}
