import type { DomainState } from '../../schemas/hosts/domain-state.js';
import type { HostState } from '../../schemas/hosts/host.js';
import type { Lost, Vm } from '../../schemas/vms/vm.js';
import { placeOf } from './stays.js';
import type { VmEvent } from './vm-events.js';
import { isVmRunning } from './vm-states.js';

/** What a host said of one VM. */
export type SightedDomain = { epoch: number; state: DomainState };

/** What a host said: its domains by VM, and whether it was started anew since they were taken to run there; or why it did not answer, and what it was before it was asked. */
export type Sighted =
  | { name: string; domains: ReadonlyMap<number, SightedDomain>; anew?: boolean }
  | { name: string; error: string; was: HostState };

export type SightedVm = Pick<Vm, '_id' | 'state' | 'lcm_state' | 'epoch' | 'history' | 'sighting' | 'lost'>;

/** What is to be written of a VM. `lost`: with its host, which does not answer. `clear`: it was missed, and is there again. */
export type Verdict =
  | { event: VmEvent & ('run' | 'stop' | 'suspended' | 'lose'); reason: string | null; lost?: Lost }
  | 'clear';

/** The reason of a VM that went down without being told to. */
export const stoppedOutside = 'stopped outside Arcus';
const suspendedOutside = 'suspended outside Arcus';

/**
 * What a second look says of a VM at which nobody works, and which was UNKNOWN, switched off or missing before the host was
 * asked; null: nothing. A single look that misses a VM decides nothing: the next one knows of it by its `sighting`.
 */
export function judgeSighting(vm: SightedVm, host: Sighted): Verdict | null {
  const runs = isVmRunning(vm);
  if ('error' in host) {
    const isLost = runs && (host.was === 'ERROR' || vm.sighting?.missing === true);
    const lost = { hid: placeOf(vm)?.hid ?? -1, epoch: vm.epoch };
    return isLost ? { event: 'lose', reason: `its host ${host.name} does not answer: ${host.error}`, lost } : null;
  }
  const domain = host.domains.get(vm._id);
  // A domain of an earlier stay is not this one of it: a check of consistency finds that.
  if (domain && domain.epoch < (placeOf(vm)?.epoch ?? 0)) return null;
  if (!runs) return domain?.state === 'running' ? { event: 'run', reason: null } : judgeReturned(vm, host, domain);
  if (vm.sighting?.missing !== true) return null;
  if (domain?.state === 'running' || domain?.state === 'booting') return 'clear';
  if (domain?.state === 'suspended') return { event: 'suspended', reason: suspendedOutside };
  if (host.anew) return lostAnew(vm, host);
  if (domain?.state === 'failed') return { event: 'lose', reason: `its guest crashed on ${host.name}` };
  return { event: 'stop', reason: stoppedOutside };
}

/** Whether it is UNKNOWN because its host fell silent: whatever is done to it after that is under a later epoch. */
const isLostWithHost = ({ lost, epoch, history }: SightedVm): boolean =>
  lost?.epoch === epoch && lost.hid === placeOf({ history })?.hid;

/** Its host has lost it with its power: its guest has not shut down by itself. */
const lostAnew = (vm: SightedVm, { name }: Pick<Sighted, 'name'>): Verdict => ({
  ...{ event: 'lose', reason: `its host ${name} was started anew` },
  lost: { hid: placeOf(vm)?.hid ?? -1, epoch: vm.epoch, anew: true },
});

/** Whether its host was started anew, and does not run it. */
export function isLostAnew(vm: SightedVm, host: Sighted | undefined): boolean {
  if (host === undefined || 'error' in host || vm.lost?.anew !== true || !isLostWithHost(vm)) return false;
  const state = host.domains.get(vm._id)?.state;
  return state !== 'running' && state !== 'booting';
}

/**
 * A VM that was lost with its host, which answers again, and on which it does not run: it stays UNKNOWN, as in OpenNebula, but for
 * the reason that it is so. One that was suspended there is that.
 */
function judgeReturned(
  vm: SightedVm,
  host: Pick<Sighted, 'name'> & { anew?: boolean },
  domain: SightedDomain | undefined,
): Verdict | null {
  if (vm.lcm_state !== 'UNKNOWN' || domain?.state === 'booting') return null;
  if (domain?.state === 'suspended') return { event: 'suspended', reason: suspendedOutside };
  if (!isLostWithHost(vm) || vm.lost?.anew) return null;
  if (host.anew) return lostAnew(vm, host);
  const found = domain
    ? domain.state === 'failed'
      ? 'its guest has crashed'
      : 'it is stopped there'
    : 'it is not there';
  return { event: 'lose', reason: `its host ${host.name} answers again, and ${found}` };
}

/** Whether a look says of a VM that was taken to run that it does not, so that the next one has to be heard. */
export const isMissed = (vm: Pick<Vm, '_id'>, host: Sighted): boolean => {
  // A host that has only just fallen silent is asked once more before anything is said of its VMs.
  if ('error' in host) return host.was !== 'MONITORED';
  const state = host.domains.get(vm._id)?.state;
  return state !== 'running' && state !== 'booting';
};
