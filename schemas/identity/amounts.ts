import type { Capacity } from '../common/capacity.js';

/** What quotas are on, in the order in which they are checked and told. */
export const quotaKinds = ['services', 'vms', 'cpu', 'memory', 'images', 'storage', 'leases'] as const;
export type QuotaKind = (typeof quotaKinds)[number];

/** Integers, CPU in hundredths of a core, memory and storage in MB: of limits. */
export type Limits = Record<QuotaKind, number>;

/** What not everything is charged that is charged at all. */
type OfSome = 'images' | 'storage' | 'leases';
/** Of single networks, datastores and images, under the keys of quota-on. */
export type OnResources = Record<string, number>;
/** The same of a charge, and of what is used. What is absent is nothing: it is of an earlier version, or of what has none of it. */
export type Amounts = Omit<Limits, OfSome> & Partial<Pick<Limits, OfSome>> & { on?: OnResources };
/** What a VM is charged beside its capacity: the addresses and the images that it has. */
export type Had = Pick<Amounts, 'leases' | 'on'>;
/** What each VM of a role is charged. Of an earlier version: its capacity alone. */
export type VmSize = Capacity & Had;
/** Limits as they are kept; what is absent of single resources has none of its own. */
export type KeptLimits = Limits & { on?: OnResources };
