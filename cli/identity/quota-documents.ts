import { z } from 'zod';
import { asDefault, QuotaResource, quotaKinds, UpdateQuota, UpdateUserQuota } from '../../schemas/identity/quota.js';
import { countedKinds, kinds } from '../../schemas/kinds.js';
import type { DocumentKind } from '../apply/document-kind.js';
import { limitOf, noLimit } from './quota-limit.js';

const Limit = z.number(noLimit).nullish();
const Limits = z.looseObject({
  name: z.string(),
  ...Object.fromEntries([...quotaKinds, ...countedKinds].map((kind) => [kind, Limit])),
});

/** Null is the default, as in a merge patch. What is no limit stays, to be refused with its place. */
function limitIn(value: unknown): unknown {
  if (value === null) return asDefault;
  const limit = typeof value === 'string' ? limitOf(value) : Number.NaN;
  return Number.isNaN(limit) ? value : limit;
}

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
        [...quotaKinds, ...countedKinds].some((kind) => kind === name) ? limitIn(value) : value,
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
    return { name: quota.name, ...limits };
  },
  update: 'PATCH',
  references: ({ name }) => [{ pointer: '/name', kind: holder, value: name, put: () => {} }],
});
