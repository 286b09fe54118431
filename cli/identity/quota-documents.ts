import { z } from 'zod';
import { quotaKinds } from '../../schemas/identity/amounts.js';
import { asDefault, QuotaResource, UpdateQuota, UpdateUserQuota } from '../../schemas/identity/quota.js';
import { countedKinds, kinds } from '../../schemas/kinds.js';
import { type DocumentKind, isObject } from '../apply/document-kind.js';
import { limitOf, noLimit } from './quota-limit.js';

const Limit = z.number(noLimit).nullish();
const onOne = ['per_network', 'per_datastore', 'per_image'] as const;
const Limits = z.looseObject({
  name: z.string(),
  ...Object.fromEntries([...quotaKinds, ...countedKinds].map((kind) => [kind, Limit])),
});

/** Limits on single resources: of each, by its id or name, words and numbers. */
const limitsIn = (value: unknown): unknown =>
  isObject(value)
    ? Object.fromEntries(
        Object.entries(value).map(([id, its]) => [
          id,
          isObject(its) ? Object.fromEntries(Object.entries(its).map(([what, limit]) => [what, limitIn(limit)])) : its,
        ]),
      )
    : value;

/** Null is the default, as in a merge patch. What is no limit stays, to be refused with its place. */
function limitIn(value: unknown): unknown {
  if (value === null) return asDefault;
  const limit = typeof value === 'string' ? limitOf(value) : Number.NaN;
  return Number.isNaN(limit) ? value : limit;
}

/** What limits of its own each resource has, of those of which a quota tells. */
const limitsOf = (on: Record<string, Record<string, { limit: number }>>): Record<string, Record<string, number>> =>
  Object.fromEntries(
    Object.entries(on).flatMap(([id, its]) => {
      const set = Object.entries(its).filter(([, { limit }]) => limit !== asDefault);
      return set.length === 0 ? [] : [[id, Object.fromEntries(set.map(([what, { limit }]) => [what, limit]))]];
    }),
  );

/** The quota of a user or group, as `apply` sets it: it is there as long as they are. */
export const quotaDocuments = (holder: 'user' | 'group'): DocumentKind => ({
  noun: `quota of ${holder}`,
  shown: `quota show ${holder}`,
  path: `/quotas${kinds[holder].path}`,
  among: kinds[holder].path,
  wish: Limits.pipe((holder === 'user' ? UpdateUserQuota : UpdateQuota).extend({ name: z.string() })),
  read: (document) =>
    Object.fromEntries(
      Object.entries(document).map(([name, value]) => [
        name,
        [...quotaKinds, ...countedKinds].some((kind) => kind === name)
          ? limitIn(value)
          : onOne.some((field) => field === name)
            ? limitsIn(value)
            : value,
      ]),
    ),
  answer: QuotaResource,
  asDocument: (object) => {
    const quota = QuotaResource.parse(object);
    const limits: Record<string, number> = {};
    for (const kind of [...quotaKinds, ...countedKinds]) {
      const its = quota[kind];
      if (its) limits[kind] = its.limit;
    }
    return {
      name: quota.name,
      ...limits,
      ...Object.fromEntries(onOne.map((field) => [field, limitsOf(quota[field])])),
    };
  },
  update: 'PATCH',
  merges: onOne,
  references: (document) => [
    { pointer: '/name', kind: holder, value: document.name, put: () => {} },
    ...onOne.flatMap((field) => {
      const its = document[field];
      if (!isObject(its)) return [];
      return Object.entries(its).map(([name, limits]) => ({
        ...{ pointer: `/${field}/${name}`, kind: field.slice('per_'.length), value: name },
        put: (id: number) => {
          delete its[name];
          its[id] = limits;
        },
      }));
    }),
  ],
});
