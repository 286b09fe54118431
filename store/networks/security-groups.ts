import type { Connection } from 'mongoose';
import { groupsOfNetwork } from '../../domain/networks/security-groups.js';
import { defaultPermissions } from '../../schemas/common/common.js';
import { limits } from '../../schemas/common/limits.js';
import type { NetworkAttributes } from '../../schemas/networks/network.js';
import { defaultSecurityGroup, type SecurityRule } from '../../schemas/networks/security-group.js';
import type { DocumentStore } from '../documents.js';
import { type Transaction, within } from '../mongo/transaction.js';

/** Who has a group. */
export type GroupUsers = { vms: number[]; networks: number[] };

const everything: SecurityRule[] = [
  { protocol: 'ALL', rule_type: 'inbound' },
  { protocol: 'ALL', rule_type: 'outbound' },
];

/** Security groups as they are kept, and who has them. */
export function createSecurityGroups(connection: Connection, kept: DocumentStore<'security_group'>) {
  return {
    ...kept,
    /** Makes the group that is always there. It belongs to the administrator; everybody may use it. */
    ensureDefault: () =>
      kept.model.updateOne(
        { _id: defaultSecurityGroup },
        {
          $setOnInsert: {
            ...{ name: 'default', uid: 0, gid: 0, rules: everything, revision: 0, created_at: new Date() },
            permissions: { ...defaultPermissions, other: { use: true, manage: false, admin: false } },
          },
        },
        { upsert: true },
      ),

    /** Who has each of these: VMs that are not DONE, the first ones, and networks. */
    async usersOf(ids: readonly number[], transaction?: Transaction): Promise<(id: number) => GroupUsers> {
      const vms = connection.collection<{ _id: number; nics?: { security_groups?: number[] }[] }>('vms');
      const networks = connection.collection<{ _id: number; attributes: NetworkAttributes }>('networks');
      const naming = networks.find(
        { 'attributes.SECURITY_GROUPS': { $exists: true } },
        { ...within(transaction), projection: { attributes: 1 }, sort: { _id: 1 } },
      );
      const named = (await naming.toArray()).map(({ _id, attributes }) => ({
        _id,
        groups: groupsOfNetwork(attributes),
      }));
      const users = new Map<number, GroupUsers>();
      for (const id of ids) {
        const having = vms.find(
          { 'nics.security_groups': id, state: { $ne: 'DONE' } },
          { ...within(transaction), projection: { _id: 1 }, sort: { _id: 1 }, limit: limits.securityGroupUsers.most },
        );
        users.set(id, {
          vms: (await having.toArray()).map(({ _id }) => _id),
          networks: named.filter(({ groups }) => groups.includes(id)).map(({ _id }) => _id),
        });
      }
      return (id) => users.get(id) ?? { vms: [], networks: [] };
    },
  };
}
export type SecurityGroupStore = ReturnType<typeof createSecurityGroups>;
