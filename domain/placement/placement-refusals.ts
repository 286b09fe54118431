import type { Capacity } from '../../schemas/common/capacity.js';
import { calledOf } from '../../schemas/common/counted.js';
import { kinds } from '../../schemas/kinds.js';
import type { RefusedHosts } from '../../schemas/placement/placement.js';
import { few } from '../words.js';

/** Why a host cannot take a VM. `note`: what was found there; it is left out where it is not the same everywhere. */
export type Refusal = { text: string; note: string | null };
export type Refused = { host: number; refusal: Refusal };

/** How many hosts are named for one reason. */
const mostNamed = 10;

/** Hosts that refuse for the same reason, most first. */
export function groupRefusals(refused: readonly Refused[]): RefusedHosts[] {
  const groups = new Map<string, { hosts: number[]; notes: Set<string | null> }>();
  for (const { host, refusal } of refused) {
    const group = groups.get(refusal.text) ?? { hosts: [], notes: new Set() };
    group.hosts.push(host);
    group.notes.add(refusal.note);
    groups.set(refusal.text, group);
  }
  return [...groups]
    .map(([text, { hosts, notes }]): RefusedHosts => {
      const [note, ...others] = notes;
      const reason = typeof note === 'string' && others.length === 0 ? `${text} (${note})` : text;
      return { reason, hosts: hosts.slice(0, mostNamed), more: Math.max(0, hosts.length - mostNamed) };
    })
    .sort((one, other) => countOf(other) - countOf(one) || (one.hosts[0] ?? 0) - (other.hosts[0] ?? 0));
}

export const countOf = ({ hosts, more }: RefusedHosts): number => hosts.length + more;

/** `host 3: CLUSTER_ID = 100 is false (it is 0)`, `hosts 1 and 2 have no attribute RACK`. */
export function refusalText(group: RefusedHosts): string {
  const count = countOf(group);
  const named = group.hosts.slice(0, 3).map(String);
  const hosts = few([...named, ...Array.from({ length: count - named.length }, () => '')]);
  const who = `${calledOf(count, kinds.host)} ${hosts}`;
  const [, verb, rest] = /^(has|is) (.*)$/s.exec(group.reason) ?? [];
  if (verb === undefined || rest === undefined) return `${who}: ${group.reason}`;
  return `${who} ${count === 1 ? verb : verb === 'has' ? 'have' : 'are'} ${rest}`;
}

/** The first few reasons, and how many hosts have others. */
export function refusalsText(groups: readonly RefusedHosts[], most = 3): string {
  const rest = groups.slice(most).reduce((sum, group) => sum + countOf(group), 0);
  const told = groups.slice(0, most).map(refusalText);
  return [...told, ...(rest > 0 ? [`${rest} more for other reasons`] : [])].join('; ');
}

export const cores = (hundredths: number): string => String(hundredths / 100);

/** What a host lacks, or null when it has enough. */
export function lacks(free: Capacity, needs: Capacity): Refusal | null {
  const cpu = free.cpu < needs.cpu;
  const memory = free.memory < needs.memory;
  const left = { cpu: Math.max(0, free.cpu), memory: Math.max(0, free.memory) };
  if (cpu && memory)
    return {
      text: `${cores(needs.cpu)} CPU and ${needs.memory} MB needed`,
      note: `${cores(left.cpu)} CPU and ${left.memory} MB free`,
    };
  if (cpu) return { text: `${cores(needs.cpu)} CPU needed`, note: `${cores(left.cpu)} free` };
  if (memory) return { text: `${needs.memory} MB of memory needed`, note: `${left.memory} MB free` };
  return null;
}
