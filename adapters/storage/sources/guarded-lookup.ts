import { lookup as ask, type LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import { Problem } from '../../../domain/problems.js';
import { whyKept } from '../../../domain/storage/network-of-address.js';

/** Networks that may be asked although they are ours, or nobody's. */
export type NetworkRules = { allowed: readonly string[] };

const refused = (host: string, why: string): Problem =>
  new Problem(
    'source_refused',
    `Nothing is fetched from ${host}: its address is ${why}. An operator allows networks in ARCUS_SAFE_NETWORKS.`,
  );

/** A host that is an address is not looked up: it is judged here. */
export function checkHost(hostname: string, { allowed }: NetworkRules): void {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (isIP(host) === 0) return;
  const why = whyKept(host, allowed);
  if (why !== undefined) throw refused(hostname, why);
}

/**
 * What sockets look names up by: it answers with addresses that may be asked alone, and the socket connects to one of these. There is no second
 * question that a server of names could answer otherwise.
 */
export const guardedLookup =
  ({ allowed }: NetworkRules): LookupFunction =>
  (hostname, options, answer) => {
    ask(hostname, { ...options, all: true }, (error, found) => {
      if (error) return answer(error, [] satisfies LookupAddress[]);
      const good = found.filter(({ address }) => whyKept(address, allowed) === undefined);
      const [first] = good;
      if (first === undefined) {
        const [bad] = found;
        const why = bad === undefined ? 'not known' : (whyKept(bad.address, allowed) ?? 'not known');
        return answer(refused(hostname, why), []);
      }
      return options.all === true ? answer(null, good) : answer(null, first.address, first.family);
    });
  };
