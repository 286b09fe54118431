import type { DomainState } from '../../schemas/hosts/domain-state.js';
import type { Host } from '../../schemas/hosts/host.js';
import type { StoredWild } from '../../schemas/hosts/strays.js';
import { type Refusal, wrongState } from '../acts/verdict.js';
import type { VmEvent } from './vm-events.js';

/** What a VM comes to that has been given a domain which does this. */
export const importedEvent = (does: DomainState): VmEvent & ('run' | 'stop' | 'suspended') =>
  does === 'suspended' ? 'suspended' : does === 'stopped' ? 'stop' : 'run';

/** A wild domain of a host, by deploy id or name. */
export const wildOf = ({ strays }: Pick<Host, 'strays'>, wish: string): StoredWild | undefined =>
  strays?.wilds.find(({ deploy_id }) => deploy_id === wish) ?? strays?.wilds.find(({ name }) => name === wish);

/** Why a wild domain cannot be a VM as it is; null: it can. */
export function mayImport(host: Pick<Host, '_id' | 'name' | 'state'>, wild: StoredWild): Refusal | null {
  const { name, state, capacity } = wild;
  if (host.state !== 'MONITORED')
    return wrongState(`Host ${host._id} (${host.name}) is ${host.state}: enable it, and import when it is MONITORED.`);
  if (state === 'failed')
    return wrongState(`Domain ${name} has crashed: start or stop it at its hypervisor, and import it then.`);
  if (capacity.cpu > 0 && capacity.memory > 0) return null;
  return wrongState(
    `${host.name} does not say what domain ${name} is given (CPU ${capacity.cpu / 100}, memory ${capacity.memory} MB): give it both at its hypervisor, and import it then.`,
  );
}
