import { few } from '../words.js';
import type { WhatIfOutcome } from './what-if.js';

/** VMs of a host by what would become of them. */
export type WhatIfCounts = Readonly<Record<WhatIfOutcome, number>>;

const vms = (count: number): string => `${count} VM${count === 1 ? '' : 's'}`;
const said: readonly [WhatIfOutcome, (count: number) => string][] = [
  ['starts', (count) => `${vms(count)} would be started elsewhere`],
  ['waits', (count) => `${vms(count)} would wait`],
  ['ends', (count) => `${vms(count)} would be ended`],
  ['undeployed', (count) => `${vms(count)} would leave it and stay off`],
  ['stays', (count) => `${vms(count)} would stay as they are`],
];

/** `If node-1 failed now: 3 VMs would be started elsewhere, 1 VM would wait.` */
export function failureText(host: string, counts: WhatIfCounts): string {
  const parts = said.flatMap(([outcome, text]) => (counts[outcome] > 0 ? [text(counts[outcome])] : []));
  return `If ${host} failed now: ${parts.length === 0 ? 'nothing runs on it' : parts.join(', ')}.`;
}

/** `If any one host of cluster default failed now, none of its VMs would wait.`, or of which hosts some would. */
export function clusterText(cluster: string, hosts: readonly (WhatIfCounts & { name: string })[]): string {
  if (hosts.length === 0) return `Cluster ${cluster} has no hosts.`;
  const short = hosts.filter(({ waits }) => waits > 0);
  const begin = `If any one host of cluster ${cluster} failed now`;
  if (short.length === 0) return `${begin}, none of its VMs would wait.`;
  return `${begin}, VMs would wait of: ${few(short.map(({ name, waits }) => `${name} (${vms(waits)})`))}.`;
}
