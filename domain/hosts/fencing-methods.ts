import type { Sealed } from '../../schemas/common/sealed.js';
import type { FencingMethod, StoredMethod } from '../../schemas/hosts/fencing.js';
import type { Host } from '../../schemas/hosts/host.js';
import type { SealedPlace } from '../sealed.js';

/** A method that needs nobody but a worker. */
export type Automatic = Exclude<StoredMethod, { kind: 'manual' }>;
export const isAutomatic = (method: StoredMethod): method is Automatic => method.kind !== 'manual';

/** Who Arcus is at a BMC: a password is that of one user at one address. */
type Account = Pick<Extract<FencingMethod, { user: string }>, 'kind' | 'address' | 'user'>;

/** Where that of a host's BMC stands: copied to another address in the database, it is not opened there. */
export const passwordOf = (host: number, { kind, address, user }: Account): SealedPlace => ({
  kind: 'host',
  id: host,
  field: `password of ${user} at ${address} (${kind})`,
});

/** The one that a host has for this already; undefined: none. */
export function keptPassword({ ha }: Pick<Host, 'ha'>, { kind, address, user }: Account): Sealed | undefined {
  for (const method of ha?.fencing ?? [])
    if ('password' in method && method.kind === kind && method.address === address && method.user === user)
      return method.password;
  return undefined;
}

/** All that a host has. */
export const passwordsIn = ({ _id, ha }: Pick<Host, '_id' | 'ha'>): { place: SealedPlace; sealed: Sealed }[] =>
  (ha?.fencing ?? []).flatMap((method) =>
    'password' in method ? [{ place: passwordOf(_id, method), sealed: method.password }] : [],
  );

/** `redfish at https://bmc-1` */
export function methodText(method: FencingMethod | StoredMethod): string {
  switch (method.kind) {
    case 'command':
      return method.program;
    case 'redfish':
    case 'ipmi':
      return `${method.kind} at ${method.address}`;
    case 'libvirt':
      return `domain ${method.domain} at ${method.uri}`;
    case 'manual':
      return 'a person';
  }
}
