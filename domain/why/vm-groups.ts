import { counted } from '../../schemas/common/counted.js';
import { clock, few, sentence } from '../words.js';
import type { Failure, VmFacts } from './facts.js';

export const vmName = ({ id, name }: Pick<VmFacts, 'id' | 'name'>): string => `VM ${id} (${name})`;

/** Those that only a removal or a new try leads on from. */
export const isFailed = ({ state }: VmFacts): boolean => state.endsWith('_FAILURE') || state === 'ACTIVE/UNKNOWN';

/** Groups that are told one by one; VMs of those beyond are counted. */
const mostTold = 3;
const mostListed = 50;
const moreVm = { one: 'more VM', several: 'more VMs' };

/** What is said of a VM that has failed without a word. */
const reasonOf = ({ state, reason }: VmFacts): string =>
  reason ?? (state === 'ACTIVE/UNKNOWN' ? 'what became of it is not known' : 'no reason is known');

export function grouped(vms: readonly VmFacts[], by: (vm: VmFacts) => string): [string, VmFacts[]][] {
  const groups = new Map<string, VmFacts[]>();
  for (const vm of vms) groups.set(by(vm), [...(groups.get(by(vm)) ?? []), vm]);
  return [...groups];
}

/** What some VMs have in common is said once: `VM 1 (a) and VM 2 (b): there is no such image.` */
export function reasonsOf(vms: readonly VmFacts[]): string[] {
  const groups = grouped(vms, reasonOf);
  const rest = groups.slice(mostTold).reduce((sum, [, alike]) => sum + alike.length, 0);
  return [
    ...groups.slice(0, mostTold).map(([reason, alike]) => sentence(`${few(alike.map(vmName))}: ${reason}`)),
    ...(rest > 0 ? [`${counted(rest, moreVm)} for other reasons.`] : []),
  ];
}

/** VMs that do not run, with why, and of those that somebody has switched off who has: what they have in common is said once. */
export function stillOf(vms: readonly VmFacts[], now: Date): string[] {
  const what = ({ state, reason, switched }: VmFacts): string => {
    const why = reason ?? (switched && `${switched.by} asked for that (${switched.action})`);
    return `${state.replace('ACTIVE/', '')}${why ? `: ${why}` : ''}`;
  };
  const groups = grouped(vms, what);
  const rest = groups.slice(mostTold).reduce((sum, [, alike]) => sum + alike.length, 0);
  return [
    ...groups.slice(0, mostTold).map(([text, alike]) => {
      const last = alike.flatMap(({ reason, switched }) =>
        reason === null && switched ? [switched.at.getTime()] : [],
      );
      const at =
        last.length === 0
          ? ''
          : `, ${alike.length === 1 ? 'at' : 'the last at'} ${clock(new Date(Math.max(...last)), now)}`;
      return sentence(`${few(alike.map(vmName))} ${alike.length === 1 ? 'is' : 'are'} ${text}${at}`);
    }),
    ...(rest > 0 ? [`${counted(rest, moreVm)} ${rest === 1 ? 'does' : 'do'} not run.`] : []),
  ];
}

/** `VM 34 (a) and VM 35 (b) on host-3, VM 36 (c) on host-1` */
export const placesOf = (vms: readonly VmFacts[]): string =>
  grouped(vms, ({ host }) => (host === null ? '' : ` on ${host}`))
    .map(([place, there]) => `${few(there.map(vmName))}${place}`)
    .join(', ');

export const failuresOf = (vms: readonly VmFacts[]): Failure[] =>
  vms.slice(0, mostListed).map((vm) => ({
    what: vmName(vm),
    detail: reasonOf(vm),
    attempts: null,
    next_retry_at: null,
  }));
