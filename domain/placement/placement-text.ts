import { capital } from '../../schemas/common/capital.js';
import { counted } from '../../schemas/common/counted.js';
import { kinds } from '../../schemas/kinds.js';
import type { PlacementRecord, RefusedHosts } from '../../schemas/placement/placement.js';
import { few } from '../words.js';
import { refusalsText } from './placement-refusals.js';

export type PlacementFacts = {
  vm: { _id: number; name: string; state: string };
  host: { id: number; name: string } | null;
  record: PlacementRecord | null;
  /** Of one without a host: why nobody looks for one any more; absent: somebody does. */
  left?: string | null;
  /** It is gone: the host is its last one. */
  isOver: boolean;
  /** Of a VM that waits: how many hosts there are, how many could take it, and why others do not. */
  hosts: number;
  candidates: number;
  refused: readonly RefusedHosts[];
};

/** How many reasons are told one by one. */
const mostTold = 6;

/** Why a VM is where it is, or why it is nowhere, in one paragraph. */
export function placementText({
  vm,
  host,
  left = null,
  record,
  isOver,
  hosts,
  candidates,
  refused,
}: PlacementFacts): string {
  const it = `VM ${vm._id} (${vm.name})`;
  if (host === null) {
    if (isOver) return `${it} is gone and never had a host.`;
    if (hosts === 0) return `${it} has no host: no host is registered.`;
    const others = refused.length > 0 ? ` ${capital(refusalsText(refused, mostTold))}.` : '';
    if (left !== null) {
      const could = `${candidates === 0 ? 'None' : candidates} of ${counted(hosts, kinds.host)} could take it now`;
      return `${it} has no host, and nobody looks for one: ${left}. ${could}.${others}`;
    }
    if (candidates === 0) return `${it} has no host: none of ${counted(hosts, kinds.host)} will do.${others}`;
    const could = `${candidates} of ${counted(hosts, kinds.host)} could take it now`;
    return `${it} has no host yet, and ${could}: it is placed in the next pass in which it is its turn.${others}`;
  }
  const on = `${it} ${isOver ? 'was' : 'is'} on host ${host.id} (${host.name})`;
  if (record === null) return `${on}. Why it was put there was not recorded.`;
  const { candidates: could, hosts: all, rank_by, rank, others, refused: recorded } = record;
  const choice =
    could <= 1
      ? all === 1
        ? 'the only host there was'
        : `the only one of ${counted(all, kinds.host)} that could take it`
      : `chosen of ${could} that could take it, of ${counted(all, kinds.host)}, by ${rank_by}${rank === null ? '' : `. When the first VM of its kind was placed in that pass, its rank was ${rank}`}`;
  const next = others.length > 0 ? `; the best of the others: ${few(others.map(otherText))}` : '';
  return `${on}, ${choice}${next}.${recorded.length > 0 ? ` ${capital(refusalsText(recorded, mostTold))}.` : ''}`;
}

const otherText = ({ host, rank }: PlacementRecord['others'][number]): string => `host ${host} with ${rank}`;
