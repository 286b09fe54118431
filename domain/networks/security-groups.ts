import { limits } from '../../schemas/common/limits.js';
import type { NetworkAttributes } from '../../schemas/networks/network.js';
import { defaultSecurityGroup } from '../../schemas/networks/security-group.js';

/** Ids as OpenNebula writes them, `1,101`, each once; null: it is none of that. */
export function groupIdsIn(text: string): number[] | null {
  const words = text
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '');
  if (words.length > limits.securityGroups.most || !words.every((word) => /^\d{1,9}$/.test(word))) return null;
  return [...new Set(words.map(Number))];
}

/** The groups that a network names for all NICs on it. */
export const groupsOfNetwork = ({ SECURITY_GROUPS: text = '' }: NetworkAttributes): number[] => groupIdsIn(text) ?? [];

/** The groups of a NIC: its network's, and its own; the default one where neither names any. */
export function groupsOfNic(own: readonly number[], network: NetworkAttributes): number[] {
  const both = [...new Set([...groupsOfNetwork(network), ...own])];
  return both.length === 0 ? [defaultSecurityGroup] : both;
}

/** Whether guests of a network may send as somebody else. */
export const guardsOf = (network: NetworkAttributes): { mac: boolean; ip: boolean } => ({
  mac: isYes(network.FILTER_MAC_SPOOFING),
  ip: isYes(network.FILTER_IP_SPOOFING),
});

const isYes = (text = ''): boolean => text.toUpperCase() === 'YES';
