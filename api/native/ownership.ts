import type { z } from 'zod';
import type { Operations } from '../../requests/operations.js';
import type { OwnershipOf } from '../../requests/ownership-of.js';
import { Chmod, Chown } from '../../schemas/identity/ownership.js';
import { type OwnedKind, rowOf } from '../../schemas/kinds.js';
import type { ExampleOf } from './example.js';
import { idOf, tagOf } from './kind-words.js';
import { ById, json, NoQuery, type Route, route, shows } from './route.js';

type ExampleWith<B extends z.ZodType, R> = ExampleOf<typeof ById, typeof NoQuery, B, NoInfer<R>>;
type Examples<B extends z.ZodType, R> = readonly [ExampleWith<B, R>, ...ExampleWith<B, R>[]];

type Way<R> = {
  schema: z.ZodType<R>;
  of: (operations: Operations) => OwnershipOf<R>;
  /** What chmod and chown of this kind do beyond others, as sentences. */
  also?: { chmod?: string; chown?: string };
  examples: { chmod: Examples<typeof Chmod, R>; chown: Examples<typeof Chown, R> };
  /** Beyond those of every kind. */
  problems?: Partial<Record<'chmod' | 'chown', Route['problems']>>;
};

/** The two routes by which a kind of object is shared and given away. */
export function ownershipRoutes<R>(kind: OwnedKind, { schema, examples, of, also, problems }: Way<R>): Route[] {
  const { path, one, unique, charged, counted } = rowOf(kind);
  const [noun, tag, id] = [`a ${one}`, tagOf(kind), idOf(kind)];
  const ofReceiver: Route['problems'] = [
    ...(unique === 'owner' ? ['name_taken' as const] : []),
    ...(charged || counted ? ['quota_exceeded' as const] : []),
  ];
  return [
    route({
      id: `chmod${id}`,
      method: 'post',
      path: `${path}/{id}/chmod`,
      tag,
      summary: `Change who may use, manage and administer ${noun}`,
      needs: [
        ['manage', kind],
        ['admin', kind, { when: 'to change an ADMIN bit' }],
      ],
      ...(also?.chmod !== undefined && { description: also.chmod }),
      params: ById,
      query: NoQuery,
      body: json(Chmod),
      answer: shows(schema),
      problems: ['not_found', ...(problems?.chmod ?? [])],
      examples: examples.chmod,
      handle: (operations, { caller, params, body, precondition }) =>
        of(operations).chmod(caller, params.id, body, precondition),
    }),
    route({
      id: `chown${id}`,
      method: 'post',
      path: `${path}/{id}/chown`,
      tag,
      summary: `Give ${noun} to another owner or group`,
      needs: [
        ['manage', kind],
        ['admin', kind, { when: 'where an ADMIN bit comes into other hands' }],
        ['manage', 'user', { at: '/uid', as: 'a new owner other than yourself' }],
        ['use', 'group', { at: '/gid', as: 'a new group that you are not in' }],
      ],
      ...(also?.chown !== undefined && { description: also.chown }),
      params: ById,
      query: NoQuery,
      body: json(Chown),
      answer: shows(schema),
      problems: ['not_found', ...(problems?.chown ?? []), ...ofReceiver],
      examples: examples.chown,
      handle: (operations, { caller, params, body, precondition }) =>
        of(operations).chown(caller, params.id, body, precondition),
    }),
  ];
}
