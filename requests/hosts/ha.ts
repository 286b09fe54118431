import { randomUUID, X509Certificate } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { keptPassword, passwordOf } from '../../domain/hosts/fencing-methods.js';
import { Problem } from '../../domain/problems.js';
import type { Cluster } from '../../schemas/hosts/cluster.js';
import type { FencingMethod, StoredMethod } from '../../schemas/hosts/fencing.js';
import type { ClusterPolicy, HostPolicy, StoredPolicy } from '../../schemas/hosts/ha.js';
import type { Host } from '../../schemas/hosts/host.js';
import { demandOn } from '../acts/acts.js';
import type { OperationsContext } from '../context.js';

/**
 * What is kept of a policy that somebody gives to a host: in his name, with passwords sealed. One that is not given is the one that there is
 * for that user at that address. Methods that stay as they were stay tested; a password that is given makes them others.
 */
export function policyToKeep(
  context: Pick<OperationsContext, 'sealer'>,
  host: Host,
  { action, ...wish }: HostPolicy,
  by: number,
): StoredPolicy | null {
  if (action === 'none') return null;
  const fencing = wish.fencing.map((method, at) => methodToKeep(context, host, method, `/ha/fencing/${at}`));
  const isSame = isDeepStrictEqual(fencing, host.ha?.fencing);
  return { ...wish, action, fencing, by, methods: (isSame ? host.ha?.methods : undefined) ?? randomUUID() };
}

/** The same of a cluster. */
export function clusterPolicyToKeep({ ha }: Pick<Cluster, 'ha'>, wish: ClusterPolicy, by: number): StoredPolicy {
  const isSame = isDeepStrictEqual(wish.fencing, ha?.fencing);
  return { ...wish, by, methods: (isSame ? ha?.methods : undefined) ?? randomUUID() };
}

function methodToKeep(
  { sealer }: Pick<OperationsContext, 'sealer'>,
  host: Host,
  method: FencingMethod,
  pointer: string,
): StoredMethod {
  if (!('user' in method)) return method;
  if (method.kind === 'redfish' && method.certificate !== undefined)
    checkCertificate(method.certificate, `${pointer}/certificate`);
  const { password: given, ...rest } = method;
  const password = given === undefined ? keptPassword(host, method) : sealer.seal(given, passwordOf(host._id, method));
  if (password === undefined)
    throw refused(`${pointer}/password`, `is needed: none is kept of ${method.user} at ${method.address}`);
  return { ...rest, password };
}

function checkCertificate(text: string, pointer: string): void {
  try {
    new X509Certificate(text);
  } catch {
    throw refused(pointer, 'is no certificate in PEM');
  }
}

const refused = (pointer: string, detail: string): Problem =>
  new Problem('invalid_request', `${pointer} ${detail}.`, { findings: [{ pointer, detail }] });

/** How a host is turned off stays as it is while that is tried: what has turned it off turns it on. */
export async function policyFree({ store }: Pick<OperationsContext, 'store'>, host: Host): Promise<void> {
  const work = host.operation ? await store.operations.find(host.operation) : null;
  if (work?.kind === 'testFencing') await demandOn(store, { do: 'testFencing' }, { type: 'host', host });
}
