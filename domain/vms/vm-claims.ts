import { DomainState } from '../../schemas/hosts/domain-state.js';
import type { Host } from '../../schemas/hosts/host.js';
import type { VmEvent } from './vm-events.js';

/** What a host that answers has of a VM: the state of its domain, or that there is none. */
export type SeenDomain = 'none' | DomainState;

/**
 * What gives the lie to a claim: with which the VM would be called what its host shows that it is not, and, called DONE or
 * UNDEPLOYED or STOPPED, leave a domain behind that nobody looks for. A claim that something has failed is not among them: the VM is
 * then recovered under a higher epoch, which ends what there is.
 */
const lies: { readonly [E in VmEvent]?: readonly SeenDomain[] } = {
  run: ['none', 'stopped', 'suspended', 'failed'],
  stop: ['booting', 'running', 'suspended'],
  suspended: ['none', 'booting', 'running', 'stopped', 'failed'],
  undeployed: DomainState.options,
  stored: DomainState.options,
  epilog: DomainState.options,
  done: DomainState.options,
};

/** What there is, in words: after "VM 12". */
const inWords: { readonly [S in SeenDomain]: string } = {
  none: 'has no domain',
  booting: 'boots',
  running: 'runs',
  stopped: 'is switched off, and its domain is there',
  suspended: 'is suspended',
  failed: 'has crashed, and its domain is there',
};

/** Whether what its host has of a VM contradicts what somebody says of it. */
export const isContradicted = (event: VmEvent, seen: SeenDomain): boolean => lies[event]?.includes(seen) ?? false;

/** "VM 12 runs on host-1": why a claim was not written. */
export const contradiction = (vm: number, host: string, seen: SeenDomain): string =>
  `VM ${vm} ${inWords[seen]} on ${host}, which answers: what was said of it is not so.`;

/** What whoever says something of a VM is told whose host does not answer. */
export const unseenClaim = (vm: number, { name, state }: Pick<Host, 'name' | 'state'>): string =>
  `Host ${name} ${state === 'OFFLINE' ? 'is OFFLINE' : 'did not answer its last look'}: as long as it does not answer, nobody sees whether what is said of VM ${vm} is so, and it is believed. If that domain runs on, it is not looked for.`;
