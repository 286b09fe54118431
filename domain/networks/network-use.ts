import { kinds } from '../../schemas/kinds.js';
import type { Network } from '../../schemas/networks/network.js';
import type { SecurityGroup } from '../../schemas/networks/security-group.js';
import type { Caller } from '../identity/caller.js';
import { allowed } from '../identity/permissions.js';

/** Whoever has VMs made may USE the networks that they are on. */
export const mayBeOn = (
  maker: Pick<Caller, 'id' | 'groups' | 'rules'>,
  { _id: id, uid, gid, permissions }: Pick<Network, '_id' | 'uid' | 'gid' | 'permissions'>,
): boolean => allowed(maker, { type: kinds.network.acl, id, uid, gid, permissions }, 'use');

/** So with the security groups of their NICs. */
export const mayHaveGroup = (
  maker: Pick<Caller, 'id' | 'groups' | 'rules'>,
  { _id: id, uid, gid, permissions }: Pick<SecurityGroup, '_id' | 'uid' | 'gid' | 'permissions'>,
): boolean => allowed(maker, { type: kinds.security_group.acl, id, uid, gid, permissions }, 'use');
