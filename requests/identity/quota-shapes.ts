import {
  amountIn,
  countsOf,
  fromUnits,
  inUnits,
  isExempt,
  limitOn,
  limitsOf,
  nothing,
} from '../../domain/identity/quotas.js';
import { limits as bounds } from '../../schemas/common/limits.js';
import type { KeptLimits, Limits, QuotaKind } from '../../schemas/identity/amounts.js';
import {
  asDefault,
  type Counts,
  type Quota,
  type QuotaHolder,
  type QuotaResource,
} from '../../schemas/identity/quota.js';
import { byMeasure, measureIn, type PerResource, perResource } from '../../schemas/identity/quota-on.js';

// Quotas as people see and set them: in cores, and what is on a single network, datastore or image under its id.

/** Limits as people set them. `unset`: what those are of a resource of which one of two is set. */
export type SetLimits = Limits & PerResource<number>;

type SomeLimits = Quota['limits'];

/** Limits of a group as they are to be shown and edited. */
export const ofGroup = (limits: SomeLimits, unset = asDefault): SetLimits => ({
  ...limitsOf((kind) => inUnits(kind, limits[kind] ?? asDefault)),
  ...perResource(Object.keys(limits.on ?? {}), (key) => limits.on?.[key] ?? unset),
});

/** The same of a user, with what is counted. */
export const ofUser = (limits: SomeLimits, unset = asDefault): SetLimits & Counts => ({
  ...ofGroup(limits, unset),
  ...countsOf((kind) => limits[kind] ?? asDefault),
});

/** Limits as they are given, in the units in which they are kept. `unset`: what is not kept of single resources. */
export function stored<T extends SetLimits>(limits: T, unset = asDefault): Omit<T, keyof PerResource<0>> & KeptLimits {
  const { per_network, per_datastore, per_image, ...rest } = limits;
  const on = [...byMeasure({ per_network, per_datastore, per_image })].filter(([, limit]) => limit !== unset);
  return { ...rest, ...limitsOf((kind) => fromUnits(kind, limits[kind])), on: Object.fromEntries(on) };
}

/** The keys of single resources on which others are limited than were before. */
export const newlyLimited = (limits: KeptLimits, before: SomeLimits): string[] =>
  Object.keys(limits.on ?? {}).filter((key) => before.on?.[key] === undefined);

export function quotaResource(
  holder: QuotaHolder,
  name: string,
  { limits, used }: Omit<Quota, '_id'> = { limits: limitsOf(() => asDefault), used: nothing },
  defaults: KeptLimits,
): QuotaResource {
  const exempt = isExempt(holder);
  const of = (kind: QuotaKind) => {
    const effective = exempt ? null : limitOn(kind, limits, defaults);
    return {
      limit: inUnits(kind, limits[kind] ?? asDefault),
      effective: effective === null ? null : inUnits(kind, effective),
      used: inUnits(kind, amountIn(used, kind)),
    };
  };
  const onOne = (key: string) => ({
    limit: limits.on?.[key] ?? asDefault,
    effective: exempt ? null : limitOn(key, limits, defaults),
    used: amountIn(used, key),
  });
  return {
    ...{ ...holder, name, exempt },
    ...{ services: of('services'), vms: of('vms'), cpu: of('cpu'), memory: of('memory') },
    ...{ images: of('images'), storage: of('storage'), leases: of('leases') },
    ...perResource(toldOf({ limits, used }, defaults), onOne),
  };
}

/** Those on which there are limits, and of the others that are used the first of each kind. */
function toldOf({ limits, used }: Omit<Quota, '_id'>, defaults: KeptLimits): string[] {
  const limited = [...Object.keys(limits.on ?? {}), ...Object.keys(defaults.on ?? {})];
  const others = Object.keys(used.on ?? {}).sort(
    (one, other) => (measureIn(one)?.id ?? 0) - (measureIn(other)?.id ?? 0),
  );
  const seen = new Map<string, Set<number>>();
  const first = others.filter((key) => {
    const measure = measureIn(key);
    if (!measure) return false;
    const ids = seen.get(measure.kind) ?? new Set();
    seen.set(measure.kind, ids.add(measure.id));
    return ids.size <= bounds.quotaShown.most;
  });
  return [...limited, ...first];
}
