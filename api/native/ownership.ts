import type { z } from 'zod';
import type { Operations } from '../../requests/operations.js';
import type { OwnershipOf } from '../../requests/ownership-of.js';
import { ClusterResource } from '../../schemas/hosts/cluster.js';
import { HostResource } from '../../schemas/hosts/host.js';
import { Chmod, Chown } from '../../schemas/identity/ownership.js';
import { type OwnedKind, rowOf } from '../../schemas/kinds.js';
import { ServiceResource } from '../../schemas/services/service.js';
import { ServiceTemplateResource } from '../../schemas/services/service-template.js';
import { VmResource } from '../../schemas/vms/vm.js';
import { VmTemplateResource } from '../../schemas/vms/vm-template.js';
import type { ExampleOf } from './example.js';
import { production } from './hosts/clusters-examples.js';
import { node } from './hosts/hosts-examples.js';
import { giving, sharing } from './identity/ownership-examples.js';
import { idOf, tagOf } from './kind-words.js';
import { ById, json, NoQuery, type Route, route, shows } from './route.js';
import { shop } from './services/service-templates-examples.js';
import { shopOfMay } from './services/services-examples.js';
import { small } from './vms/vm-templates-examples.js';
import { buildServer } from './vms/vms-examples.js';

type ExampleWith<B extends z.ZodType, R> = ExampleOf<typeof ById, typeof NoQuery, B, NoInfer<R>>;
type Examples<B extends z.ZodType, R> = readonly [ExampleWith<B, R>, ...ExampleWith<B, R>[]];

type Way<R> = {
  schema: z.ZodType<R>;
  of: (operations: Operations['ownership']) => OwnershipOf<R>;
  /** What chmod and chown of this kind do beyond others, as sentences. */
  also?: { chmod?: string; chown?: string };
  examples: { chmod: Examples<typeof Chmod, R>; chown: Examples<typeof Chown, R> };
  /** Beyond those of every kind. */
  problems?: Partial<Record<'chmod' | 'chown', Route['problems']>>;
};

const reaches = 'Its VMs and the operations of all have the same then, or nothing has changed.';

/** The two routes of each kind of object. */
export const ownershipRoutes: readonly Route[] = Object.values({
  service: ownershipOf('service', {
    schema: ServiceResource,
    examples: { chmod: sharing('1', shopOfMay), chown: giving('1', shopOfMay) },
    of: ({ service }) => service,
    also: { chmod: reaches, chown: `${reaches} What it is charged goes to the quotas of the new owner and group.` },
    problems: { chmod: ['operation_in_progress'], chown: ['operation_in_progress'] },
  }),
  service_template: ownershipOf('service_template', {
    schema: ServiceTemplateResource,
    examples: { chmod: sharing('0', shop), chown: giving('0', shop) },
    of: ({ service_template }) => service_template,
  }),
  vm: ownershipOf('vm', {
    schema: VmResource,
    examples: { chmod: sharing('3', buildServer), chown: giving('3', buildServer) },
    of: ({ vm }) => vm,
    also: {
      chmod: 'Its operations have the same then.',
      chown:
        'Its operations go with it, and what it is charged to the quotas of the new owner and group. One of a service cannot be given away by itself.',
    },
    problems: { chown: ['wrong_state'] },
  }),
  vm_template: ownershipOf('vm_template', {
    schema: VmTemplateResource,
    examples: { chmod: sharing('0', small), chown: giving('0', small) },
    of: ({ vm_template }) => vm_template,
  }),
  host: ownershipOf('host', {
    schema: HostResource,
    examples: { chmod: sharing('0', node), chown: giving('0', node) },
    of: ({ host }) => host,
  }),
  cluster: ownershipOf('cluster', {
    schema: ClusterResource,
    examples: { chmod: sharing('100', production), chown: giving('100', production) },
    of: ({ cluster }) => cluster,
  }),
} satisfies Record<OwnedKind, Route[]>).flat();

function ownershipOf<R>(kind: OwnedKind, { schema, examples, of, also, problems }: Way<R>): Route[] {
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
      handle: ({ ownership }, { caller, params, body, precondition }) =>
        of(ownership).chmod(caller, params.id, body, precondition),
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
      handle: ({ ownership }, { caller, params, body, precondition }) =>
        of(ownership).chown(caller, params.id, body, precondition),
    }),
  ];
}
