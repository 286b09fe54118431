import { few, sentence } from '../words.js';
import type { SightedDomain } from './sightings.js';
import { placeOf } from './stays.js';
import { type KnownVm, reasonOf } from './zombies.js';

/**
 * What a host still runs of what is over. `stale`: copies of VMs that are gone, or run elsewhere; `leaving`: VMs that were
 * replaced while the host was silent, each with the operation that is to end it.
 */
export type Leftovers = { stale: { vm: number; epoch: number }[]; leaving: { vm: number; op: string }[] };

/**
 * What of these domains has to go before the host takes new VMs. Never the last copy of a VM that is not gone: one that waits,
 * or boots elsewhere, keeps it, and is no reason to wait. Neither is what no VM is known of.
 */
export function leftoversOf(
  host: number,
  domains: readonly (Pick<SightedDomain, 'epoch'> & { vm: number; heard: number })[],
  vms: ReadonlyMap<number, KnownVm>,
): Leftovers {
  const found: Leftovers = { stale: [], leaving: [] };
  for (const domain of domains) {
    const { vm: id, epoch } = domain;
    const vm = vms.get(id);
    if (!vm) continue;
    const reason = reasonOf(host, domain, vm);
    if (reason === 'done' || reason === 'elsewhere') found.stale.push({ vm: id, epoch });
    else if (placeOf(vm)?.hid === host && vm.left_behind !== undefined && vm.wanted === vm.left_behind)
      found.leaving.push({ vm: id, op: vm.left_behind });
  }
  return found;
}

export const isClear = ({ stale, leaving }: Leftovers): boolean => stale.length + leaving.length === 0;

/** Why a host that answers takes no VMs yet. `failure`: why something could not be removed. */
export function leftoversText({ stale, leaving }: Leftovers, failure: string | null): string {
  const vms = [...stale, ...leaving].map(({ vm }) => String(vm));
  const those = `${vms.length === 1 ? 'VM' : 'VMs'} ${few(vms)}`;
  const text = `it still runs ${those} of before, which ${vms.length === 1 ? 'is' : 'are'} gone or replaced and removed first`;
  return failure === null ? text : `${text}; that failed: ${sentence(failure)}`;
}
