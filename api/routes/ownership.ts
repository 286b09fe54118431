import type { z } from 'zod';
import type { Operations } from '../../operations/operations.js';
import type { OwnershipOf } from '../../operations/ownership.js';
import { ClusterResource } from '../../schemas/cluster.js';
import { HostResource } from '../../schemas/host.js';
import { Chmod, Chown } from '../../schemas/ownership.js';
import { ServiceResource } from '../../schemas/service.js';
import { ServiceTemplateResource } from '../../schemas/service-template.js';
import { VmResource } from '../../schemas/vm.js';
import { VmTemplateResource } from '../../schemas/vm-template.js';
import type { ExampleOf } from '../example.js';
import { production } from '../examples/clusters.js';
import { node } from '../examples/hosts.js';
import { giving, sharing } from '../examples/ownership.js';
import { shop } from '../examples/service-templates.js';
import { shopOfMay } from '../examples/services.js';
import { small } from '../examples/vm-templates.js';
import { buildServer } from '../examples/vms.js';
import { ById, json, NoQuery, type Route, route, shows } from '../route.js';

type ExampleWith<B extends z.ZodType, R> = ExampleOf<typeof ById, typeof NoQuery, B, NoInfer<R>>;
type Examples<B extends z.ZodType, R> = readonly [ExampleWith<B, R>, ...ExampleWith<B, R>[]];

type Kind<R> = {
  /** Of its routes, below the root of the API. */
  path: string;
  tag: string;
  /** In sentences, and at the end of the ids of its routes. */
  noun: string;
  id: string;
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
export const ownershipRoutes: readonly Route[] = [
  ...ownershipOf({
    path: '/services',
    tag: 'Services',
    noun: 'a service',
    id: 'Service',
    schema: ServiceResource,
    examples: { chmod: sharing('1', shopOfMay), chown: giving('1', shopOfMay) },
    of: ({ services }) => services,
    also: { chmod: reaches, chown: `${reaches} What it is charged goes to the quotas of the new owner and group.` },
    problems: { chmod: ['operation_in_progress'], chown: ['operation_in_progress', 'quota_exceeded'] },
  }),
  ...ownershipOf({
    path: '/service-templates',
    tag: 'Service templates',
    noun: 'a service template',
    id: 'ServiceTemplate',
    schema: ServiceTemplateResource,
    examples: { chmod: sharing('0', shop), chown: giving('0', shop) },
    of: ({ serviceTemplates }) => serviceTemplates,
    problems: { chown: ['name_taken', 'quota_exceeded'] },
  }),
  ...ownershipOf({
    path: '/vms',
    tag: 'VMs',
    noun: 'a VM',
    id: 'Vm',
    schema: VmResource,
    examples: { chmod: sharing('3', buildServer), chown: giving('3', buildServer) },
    of: ({ vms }) => vms,
    also: {
      chmod: 'Its operations have the same then.',
      chown:
        'Its operations go with it, and what it is charged to the quotas of the new owner and group. One of a service cannot be given away by itself.',
    },
    problems: { chown: ['wrong_state', 'quota_exceeded'] },
  }),
  ...ownershipOf({
    path: '/vm-templates',
    tag: 'VM templates',
    noun: 'a VM template',
    id: 'VmTemplate',
    schema: VmTemplateResource,
    examples: { chmod: sharing('0', small), chown: giving('0', small) },
    of: ({ vmTemplates }) => vmTemplates,
    problems: { chown: ['name_taken', 'quota_exceeded'] },
  }),
  ...ownershipOf({
    path: '/hosts',
    tag: 'Hosts',
    noun: 'a host',
    id: 'Host',
    schema: HostResource,
    examples: { chmod: sharing('0', node), chown: giving('0', node) },
    of: ({ hosts }) => hosts,
  }),
  ...ownershipOf({
    path: '/clusters',
    tag: 'Clusters',
    noun: 'a cluster',
    id: 'Cluster',
    schema: ClusterResource,
    examples: { chmod: sharing('100', production), chown: giving('100', production) },
    of: ({ clusters }) => clusters,
  }),
];

function ownershipOf<R>({ path, tag, noun, id, schema, examples, of, also, problems }: Kind<R>): Route[] {
  return [
    route({
      id: `chmod${id}`,
      method: 'post',
      path: `${path}/{id}/chmod`,
      tag,
      summary: `Change who may use, manage and administer ${noun}`,
      rights: 'MANAGE on it, and ADMIN to change an ADMIN bit',
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
      rights:
        'MANAGE on it, and ADMIN where an ADMIN bit comes into other hands; MANAGE on a new owner other than yourself; USE on a new group that you are not in',
      ...(also?.chown !== undefined && { description: also.chown }),
      params: ById,
      query: NoQuery,
      body: json(Chown),
      answer: shows(schema),
      problems: ['not_found', ...(problems?.chown ?? [])],
      examples: examples.chown,
      handle: ({ ownership }, { caller, params, body, precondition }) =>
        of(ownership).chown(caller, params.id, body, precondition),
    }),
  ];
}
