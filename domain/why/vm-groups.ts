import { counted } from '../../schemas/common/counted.js';
import { reasonThere } from '../vms/reason-there.js';
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
const reasonOf = (vm: VmFacts): string =>
  thereOf(vm) ?? (vm.state === 'ACTIVE/UNKNOWN' ? 'what became of it is not known' : 'no reason is known');

const thereOf = ({ host, offline, reason }: VmFacts): string | null => reasonThere(offline && host, reason);

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
  const what = (vm: VmFacts): string => {
    const { state, switched } = vm;
    const why = thereOf(vm) ?? (switched && `${switched.by} asked for that (${switched.action})`);
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

/** VMs that are taken to run on hosts at which nobody looks. */
export const unwatchedOf = (vms: readonly VmFacts[]): string[] =>
  grouped(
    vms.filter(({ state, offline }) => offline && state === 'ACTIVE/RUNNING'),
    ({ host }) => host ?? '',
  ).map(
    ([host, there]) =>
      `${few(there.map(vmName))} ${there.length === 1 ? 'is' : 'are'} on ${host}, which is OFFLINE: nobody looks whether ${there.length === 1 ? 'it runs' : 'they run'}.`,
  );

/** Those of some VMs of which a text does not say why they failed. */
export const untoldIn = (text: string, vms: readonly VmFacts[]): VmFacts[] =>
  vms.filter((vm) => !text.includes(toldOf(vm)));

/** Whether an operation that failed has said more of its roles than how many VMs run, and why each of these does not. */
export function saysMore(text: string, vms: readonly VmFacts[], roles: readonly string[]): boolean {
  const rest = vms.reduce((left, vm) => left.replaceAll(toldOf(vm), ''), text);
  const told = new Set([...countingWords, ...roles]);
  return rest.split(/[\s:;,]/).some((word) => !told.has(word) && Number.isNaN(Number(word)));
}

/** `role web: 1 of 7 VMs run: …, and 3 more` */
const countingWords = ['role', 'of', 'VMs', 'run', 'and', 'more'];

const toldOf = (vm: VmFacts): string => `${vmName(vm)}: ${reasonOf(vm)}`;

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
