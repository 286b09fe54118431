import { type Called, counted } from '../../schemas/common/counted.js';
import { recordOf } from '../../schemas/common/record-of.js';
import {
  type Amounts,
  type Had,
  type KeptLimits,
  type Limits,
  type OnResources,
  type QuotaKind,
  quotaKinds,
  type VmSize,
} from '../../schemas/identity/amounts.js';
import {
  asDefault,
  type Counts,
  countedText,
  type Quota,
  type QuotaExceeded,
  type QuotaHolder,
  unlimited,
} from '../../schemas/identity/quota.js';
import { type MeasuredKind, measureIn, measureOf } from '../../schemas/identity/quota-on.js';
import { type CountedKind, countedAs, countedKinds, kinds } from '../../schemas/kinds.js';
import { Problem } from '../problems.js';

/** One limit for each quota. */
export const limitsOf = (limit: (kind: QuotaKind) => number): Limits => recordOf(quotaKinds, limit);

/** One amount for each quota; nothing of what not everything is charged is not said. */
export function amountsOf(amount: (kind: QuotaKind) => number, on: OnResources = {}): Amounts {
  const { images, storage, leases, ...others } = limitsOf(amount);
  const its = Object.entries(on).filter(([, some]) => some !== 0);
  return {
    ...others,
    ...(images !== 0 && { images }),
    ...(storage !== 0 && { storage }),
    ...(leases !== 0 && { leases }),
    ...(its.length > 0 && { on: Object.fromEntries(its) }),
  };
}

/** What something is measured by: a quota on everything of a kind, or the key of one on a single resource. */
type Measure = QuotaKind | (string & {});
const isKind = (measure: Measure): measure is QuotaKind => quotaKinds.some((kind) => kind === measure);

/** What there is of a quota among amounts. */
export const amountIn = (amounts: Amounts, measure: Measure): number =>
  (isKind(measure) ? amounts[measure] : amounts.on?.[measure]) ?? 0;

/** All that amounts may differ in. */
const measuresOf = (...all: readonly Amounts[]): Measure[] => [
  ...new Set<Measure>([...quotaKinds, ...all.flatMap(({ on }) => Object.keys(on ?? {}))]),
];

const combined = (all: readonly Amounts[], of: (measure: Measure) => number): Amounts =>
  amountsOf(of, Object.fromEntries(measuresOf(...all).flatMap((key) => (isKind(key) ? [] : [[key, of(key)]]))));

export const nothing: Amounts = amountsOf(() => 0);

/** What a holder is said to use, and what the charges of that holder's objects add up to. */
export type QuotaBalance = { holder: QuotaHolder; used: Amounts; sum: Amounts };

/** What a VM of its own is charged. */
export const chargeOfVm = ({ cpu, memory, leases = 0, on }: VmSize): Amounts =>
  amountsOf((kind) => ({ ...nothing, vms: 1, cpu, memory, leases })[kind] ?? 0, on);

/** What it is charged for what it has alone. */
export const chargeOfHad = ({ leases = 0, on }: Had): Amounts =>
  amountsOf((kind) => (kind === 'leases' ? leases : 0), on);

/** What a network is charged that has `size` addresses of another one. */
export const chargeOfReservation = (parent: number, size: number): Amounts =>
  chargeOfHad({ leases: size, on: { [measureOf('network', parent, 'leases')]: size } });

/** What an image is charged: itself, and its MB. */
export const chargeOfImage = ({ datastore_id, size_mb }: { datastore_id: number; size_mb: number }): Amounts => ({
  ...nothing,
  ...{ images: 1, storage: size_mb },
  on: {
    [measureOf('datastore', datastore_id, 'images')]: 1,
    [measureOf('datastore', datastore_id, 'size')]: size_mb,
  },
});

/** What a service is charged as a whole; `capacity`: of each VM of the role. */
export const chargeOfService = (roles: readonly { cardinality: number; capacity: VmSize }[]): Amounts =>
  roles.reduce((sum, { cardinality, capacity }) => added(sum, timesOver(chargeOfVm(capacity), cardinality)), {
    ...nothing,
    services: 1,
  });

export const added = (one: Amounts, other: Amounts): Amounts =>
  combined([one, other], (measure) => amountIn(one, measure) + amountIn(other, measure));

export const negated = (amounts: Amounts): Amounts => timesOver(amounts, -1);

export const timesOver = (amounts: Amounts, times: number): Amounts =>
  combined([amounts], (measure) => amountIn(amounts, measure) * times + 0);

/** What is left of a charge where these are given back, and what of them is: no more than was charged. */
export function without(charge: Amounts, gone: Amounts): { left: Amounts; returned: Amounts } {
  const returned = combined([gone], (measure) => Math.min(amountIn(gone, measure), amountIn(charge, measure)));
  return { left: added(charge, negated(returned)), returned };
}

/** What of these is more than those. */
export const beyond = (some: Amounts, those: Amounts): Amounts =>
  combined([some], (measure) => Math.max(0, amountIn(some, measure) - amountIn(those, measure)));

export const isSameAmounts = (one: Amounts, other: Amounts): boolean =>
  measuresOf(one, other).every((measure) => amountIn(one, measure) === amountIn(other, measure));

export const isNothing = (amounts: Amounts): boolean => isSameAmounts(amounts, nothing);

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
  defaults: KeptLimits,
  asked: Amounts,
): QuotaExceeded | null {
  if (isExempt(holder)) return null;
  for (const measure of measuresOf(asked)) {
    const limit = limitOn(measure, limits, defaults);
    const [has, more] = [amountIn(used, measure), amountIn(asked, measure)];
    if (limit === null || more <= 0 || has + more <= limit) continue;
    if (isKind(measure)) {
      const shown = (amount: number): number => inUnits(measure, amount);
      return { quota: measure, holder, limit: shown(limit), used: shown(has), asked: shown(more) };
    }
    const on = measureIn(measure);
    if (on) return { quota: on.what, of: { type: on.kind, id: on.id }, ...{ holder, limit, used: has, asked: more } };
  }
  return null;
}

/** The limit of a holder that holds for this; null: there is none. */
export const limitOn = (measure: Measure, limits: Quota['limits'], defaults: KeptLimits): number | null =>
  isKind(measure)
    ? effectiveLimit(limits[measure] ?? asDefault, defaults[measure])
    : effectiveLimit(limits.on?.[measure] ?? asDefault, defaults.on?.[measure] ?? unlimited);

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

const inNumber = (called: Called) => (amount: number) => counted(amount, called);

const units: Readonly<Record<QuotaExceeded['quota'], { name: string; of: (amount: number) => string }>> = {
  services: { name: 'services', of: inNumber(kinds.service) },
  vms: { name: 'VMs', of: inNumber(kinds.vm) },
  cpu: { name: 'CPU', of: inNumber({ one: 'core', several: 'cores' }) },
  memory: { name: 'memory', of: (amount) => `${amount} MB` },
  images: { name: 'images', of: inNumber(kinds.image) },
  storage: { name: 'storage', of: (amount) => `${amount} MB` },
  leases: { name: 'leases', of: inNumber({ one: 'address', several: 'addresses' }) },
  size: { name: 'sizes of images', of: (amount) => `${amount} MB` },
  rvms: { name: 'VMs', of: inNumber(kinds.vm) },
  ...countsOf((kind) => ({ name: countedText(kind), of: inNumber(countedAs[kind]) })),
};

const onText: Readonly<Record<MeasuredKind, string>> = {
  network: ` of ${kinds.network.one}`,
  datastore: ` in ${kinds.datastore.one}`,
  image: ` with a disk of ${kinds.image.one}`,
};

/** The refusal of a charge. `name`: of the holder, where it is known. */
export function quotaProblem(found: QuotaExceeded, name?: string): Problem {
  const { quota, of: on, holder, limit, used, asked } = found;
  const whose = `${holder.type} ${holder.id}${name === undefined ? '' : ` (${name})`}`;
  const { name: ofWhat, of } = units[quota];
  return new Problem(
    'quota_exceeded',
    `The quota of ${whose} on ${ofWhat}${on ? `${onText[on.type]} ${on.id}` : ''} is ${of(limit)}: ${of(used)} in use, and this takes ${of(asked)} more.`,
    { quota: found },
  );
}
