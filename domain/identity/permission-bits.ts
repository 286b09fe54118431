import type { Permissions } from '../../schemas/common/common.js';
import { defaultUmask } from '../../schemas/identity/user.js';
import { Problem } from '../problems.js';
import type { Caller } from './caller.js';
import { isAdministrator } from './permissions.js';

const values = { use: 4, manage: 2, admin: 1 } as const;

/** Permissions from three octal digits, such as 640: owner, group and others, each of use 4, manage 2 and admin 1. */
export const permissionsOf = (octet: string): Permissions => fromBits(Number.parseInt(octet, 8));

/** The same back. */
export function octetOf({ owner, group, other }: Permissions): string {
  const digit = ({ use, manage, admin }: Permissions['owner']): number =>
    (use ? values.use : 0) + (manage ? values.manage : 0) + (admin ? values.admin : 0);
  return [owner, group, other].map(digit).join('');
}

/** What a new object permits: USE and MANAGE for all, for administrators ADMIN too, less what the maker's umask takes. */
export function permissionsOfNew(maker: Pick<Caller, 'id' | 'groups' | 'umask'>): Permissions {
  const base = isAdministrator(maker) ? 0o777 : 0o666;
  return fromBits(base & ~Number.parseInt(maker.umask ?? defaultUmask, 8));
}

/** Refuses a new umask by which a user could not use, change or remove what he makes. `present`: the one that he has. */
export function demandUmask(umask: string, present?: string): void {
  if (umask === present || /^[01]/.test(umask)) return;
  const detail = 'must begin with 0 or 1: else nobody could use or manage what he makes himself';
  throw new Problem('invalid_request', `The umask ${detail}.`, { findings: [{ pointer: '/umask', detail }] });
}

function fromBits(bits: number): Permissions {
  const rights = (digit: number): Permissions['owner'] => ({
    use: (digit & values.use) > 0,
    manage: (digit & values.manage) > 0,
    admin: (digit & values.admin) > 0,
  });
  return { owner: rights(bits >> 6), group: rights(bits >> 3), other: rights(bits) };
}
