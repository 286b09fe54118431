import type { SecurityGroupResource } from '../../schemas/networks/security-group.js';
import { Complaint } from '../shell/complaint.js';

type Rule = SecurityGroupResource['rules'][number];

const example = 'arcus security-group create web --inbound tcp:80,443 --inbound icmp:8@10.0.0.1+50 --outbound all';

/** `tcp:22,80:90@10.0.0.1+50`, `icmp:8`, `all@network:3`: a rule in the words of the API, which judges it. */
export function ruleBody(rule_type: Rule['rule_type'], word: string): object {
  const [what = '', peer, ...more] = word.split('@');
  const [protocol = '', ...of] = what.split(':');
  const detail = of.join(':');
  if (protocol === '' || more.length > 0 || peer === '')
    throw new Complaint('usage', `${JSON.stringify(word)} is no rule.`, { next: `Such as: ${example}` });
  const isIcmp = /^icmp/i.test(protocol);
  if (isIcmp && detail !== '' && !/^\d{1,9}$/.test(detail))
    throw new Complaint('usage', `${JSON.stringify(word)} is no rule: of ICMP the number of a type is named, as 8.`, {
      next: `Such as: ${example}`,
    });
  return {
    ...{ protocol: protocol.toUpperCase(), rule_type },
    ...(detail !== '' && (isIcmp ? { icmp_type: Number(detail) } : { range: detail })),
    ...(peer === undefined ? {} : peerBody(peer)),
  };
}

function peerBody(peer: string): object {
  if (peer.startsWith('network:')) return { network_id: Number(peer.slice('network:'.length)) };
  const [ip, size = '1'] = peer.split('+');
  return { ip, size: Number(size) };
}

/** Who is at the other end of what a rule lets pass, in a word. */
export const peerText = ({ ip, size, network_id }: Rule): string =>
  network_id !== undefined ? `network ${network_id}` : ip === undefined ? 'any' : `${ip} +${(size ?? 1) - 1}`;

/** Which ports or types it lets pass. */
export const detailText = ({ range, icmp_type }: Rule): string =>
  range ?? (icmp_type === undefined ? 'all' : `type ${icmp_type}`);
