import { allowed } from '../../domain/identity/permissions.js';
import { Problem } from '../../domain/problems.js';
import { kinds } from '../../schemas/kinds.js';
import type { Network } from '../../schemas/networks/network.js';
import { seenUser } from '../../store/identity/seen-user.js';
import type { StepPorts } from '../ports.js';

type Owned = Pick<Network, '_id' | 'uid' | 'gid' | 'permissions'>;
/** Whoever has asked, and is not there any more: may nothing. */
const nobody = { id: -1, groups: [], rules: [] };

/** Networks of a service, before its VMs and after them. */
export const serviceNetworkActivities = ({ store, directory }: Pick<StepPorts, 'store' | 'directory'>) => ({
  /** Makes what the template asks for and is not there yet, all of it or nothing; whoever has asked may MANAGE what it is reserved of. */
  async makeNetworks({ op, service: id }: { op: string; service: number }): Promise<number[]> {
    const [service, asker] = await Promise.all([store.services.find(id), store.operations.asker(op)]);
    if (!service) return [];
    const maker = asker ? ((await seenUser(directory, asker.requester.id))?.caller ?? null) : null;
    const uname = asker?.requester.id === service.uid ? asker.requester.name : undefined;
    const called = asker?.requester.name ?? 'Whoever has asked';
    const demand = (kind: 'network' | 'network_template', right: 'use' | 'manage', toWhat: string) => (of: Owned) => {
      const { _id: one, uid, gid, permissions } = of;
      if (!maker || !allowed(maker, { type: kinds[kind].acl, id: one, uid, gid, permissions }, right))
        throw new Problem(
          'not_authorized',
          `${called} needs the ${right.toUpperCase()} right on ${kinds[kind].one} ${one}, to ${toWhat}.`,
        );
    };
    const allow = {
      reserveOf: demand('network', 'manage', 'reserve of it'),
      useTemplate: demand('network_template', 'use', 'make a network of it'),
      maker: maker ?? nobody,
    };
    return store.serviceNetworks.make({ _id: id, uid: service.uid, ...(uname !== undefined && { uname }) }, op, allow);
  },

  /** Removes what was made for a service all of whose VMs are gone; of another nothing. */
  async removeNetworks({ op, service }: { op: string; service: number }): Promise<void> {
    await store.serviceNetworks.remove(service, op);
  },
});
