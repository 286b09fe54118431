import type { Capacity } from '../../schemas/common/capacity.js';
import { recordOf } from '../../schemas/common/record-of.js';
import {
  type Amounts,
  asDefault,
  type Counts,
  countedText,
  type Limits,
  type Quota,
  type QuotaExceeded,
  type QuotaHolder,
  type QuotaKind,
  quotaKinds,
  unlimited,
} from '../../schemas/identity/quota.js';
import { type CountedKind, countedAs, countedKinds } from '../../schemas/kinds.js';
import { Problem } from '../problems.js';

/** One limit for each quota. */
export const limitsOf = (limit: (kind: QuotaKind) => number): Limits => recordOf(quotaKinds, limit);

/** One amount for each quota; nothing of images is not said. */
export function amountsOf(amount: (kind: QuotaKind) => number): Amounts {
  const { images, storage, ...others } = limitsOf(amount);
  return { ...others, ...(images !== 0 && { images }), ...(storage !== 0 && { storage }) };
}

/** What there is of a quota among amounts. */
export const amountIn = (amounts: Amounts, kind: QuotaKind): number => amounts[kind] ?? 0;

export const nothing: Amounts = amountsOf(() => 0);

/** What a holder is said to use, and what the charges of that holder's objects add up to. */
export type QuotaBalance = { holder: QuotaHolder; used: Amounts; sum: Amounts };

/** What a VM of its own is charged. */
export const chargeOfVm = ({ cpu, memory }: Capacity): Amounts => ({ services: 0, vms: 1, cpu, memory });

/** What an image is charged: itself, and its MB. */
export const chargeOfImage = (storage: number): Amounts => ({ ...nothing, images: 1, storage });

/** What a service is charged as a whole; `capacity`: of each VM of the role. */
export const chargeOfService = (roles: readonly { cardinality: number; capacity: Capacity }[]): Amounts =>
  roles.reduce(
    (sum, { cardinality, capacity: { cpu, memory } }) =>
      added(sum, { services: 0, vms: cardinality, cpu: cardinality * cpu, memory: cardinality * memory }),
    { ...nothing, services: 1 },
  );

export const added = (one: Amounts, other: Amounts): Amounts =>
  amountsOf((kind) => amountIn(one, kind) + amountIn(other, kind));

export const negated = (amounts: Amounts): Amounts => amountsOf((kind) => 0 - amountIn(amounts, kind));

export const isSameAmounts = (one: Amounts, other: Amounts): boolean =>
  quotaKinds.every((kind) => amountIn(one, kind) === amountIn(other, kind));

/** User 0 and group 0 are exempt, each by itself: of a VM of user 0 in another group, that group is charged. */
export const isExempt = ({ id }: QuotaHolder): boolean => id === 0;

/** Whose quotas an object of this owner and group is charged to: the user's first. */
export const holdersOf = ({ uid, gid }: { uid: number; gid: number }): QuotaHolder[] =>
  [{ type: 'user', id: uid } as const, { type: 'group', id: gid } as const].filter((holder) => !isExempt(holder));

/** The limit that holds; null: there is none. */
export function effectiveLimit(own: number, byDefault: number): number | null {
  const limit = own === asDefault ? byDefault : own;
  return limit < 0 ? null : limit;
}

/**
 * The first quota that stands in the way of a charge, or null. What is not asked for is not looked at: a limit that was
 * set below what is used refuses only more of that.
 */
export function exceeded(
  holder: QuotaHolder,
  { limits, used }: Pick<Quota, 'limits' | 'used'>,
  defaults: Limits,
  asked: Amounts,
): QuotaExceeded | null {
  if (isExempt(holder)) return null;
  for (const quota of quotaKinds) {
    const limit = effectiveLimit(limits[quota] ?? asDefault, defaults[quota]);
    const [has, more] = [amountIn(used, quota), amountIn(asked, quota)];
    if (limit === null || more <= 0 || has + more <= limit) continue;
    const shown = (amount: number): number => inUnits(quota, amount);
    return { quota, holder, limit: shown(limit), used: shown(has), asked: shown(more) };
  }
  return null;
}

/** An amount in the unit that people use: cores. Limits that are no amounts stay as they are. */
export const inUnits = (kind: QuotaKind, amount: number): number =>
  kind === 'cpu' && amount !== asDefault && amount !== unlimited ? amount / 100 : amount;

/** The same back. */
export const fromUnits = (kind: QuotaKind, amount: number): number =>
  kind === 'cpu' && amount !== asDefault && amount !== unlimited ? Math.round(amount * 100) : amount;

/** One for each that is counted. */
export const countsOf = <T>(count: (kind: CountedKind) => T): Record<CountedKind, T> => recordOf(countedKinds, count);

/** What a user may have of what is counted; null: any number. */
export const countLimit = (
  kind: CountedKind,
  id: number,
  own: Partial<Counts> | undefined,
  defaults: Counts,
): number | null => (isExempt({ type: 'user', id }) ? null : effectiveLimit(own?.[kind] ?? asDefault, defaults[kind]));

const several = (one: string, more: string) => (amount: number) => (amount === 1 ? `1 ${one}` : `${amount} ${more}`);

const units: Readonly<Record<QuotaKind | CountedKind, { name: string; of: (amount: number) => string }>> = {
  services: { name: 'services', of: (amount) => (amount === 1 ? '1 service' : `${amount} services`) },
  vms: { name: 'VMs', of: (amount) => (amount === 1 ? '1 VM' : `${amount} VMs`) },
  cpu: { name: 'CPU', of: (amount) => (amount === 1 ? '1 core' : `${amount} cores`) },
  memory: { name: 'memory', of: (amount) => `${amount} MB` },
  images: { name: 'images', of: several('image', 'images') },
  storage: { name: 'storage', of: (amount) => `${amount} MB` },
  ...countsOf((kind) => {
    const { one, several: more } = countedAs[kind];
    return { name: countedText(kind), of: several(one, more) };
  }),
};

/** The refusal of a charge. `name`: of the holder, where it is known. */
export function quotaProblem(found: QuotaExceeded, name?: string): Problem {
  const { quota, holder, limit, used, asked } = found;
  const whose = `${holder.type} ${holder.id}${name === undefined ? '' : ` (${name})`}`;
  const { name: ofWhat, of } = units[quota];
  return new Problem(
    'quota_exceeded',
    `The quota of ${whose} on ${ofWhat} is ${of(limit)}: ${of(used)} in use, and this takes ${of(asked)} more.`,
    { quota: found },
  );
}
