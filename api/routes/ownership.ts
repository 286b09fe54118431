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
import { ById, json, NoQuery, type Route, route, shows } from '../route.js';

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
    of: ({ serviceTemplates }) => serviceTemplates,
    problems: { chown: ['name_taken'] },
  }),
  ...ownershipOf({
    path: '/vms',
    tag: 'VMs',
    noun: 'a VM',
    id: 'Vm',
    schema: VmResource,
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
    of: ({ vmTemplates }) => vmTemplates,
    problems: { chown: ['name_taken'] },
  }),
  ...ownershipOf({
    path: '/hosts',
    tag: 'Hosts',
    noun: 'a host',
    id: 'Host',
    schema: HostResource,
    of: ({ hosts }) => hosts,
  }),
  ...ownershipOf({
    path: '/clusters',
    tag: 'Clusters',
    noun: 'a cluster',
    id: 'Cluster',
    schema: ClusterResource,
    of: ({ clusters }) => clusters,
  }),
];

function ownershipOf<R>({ path, tag, noun, id, schema, of, also, problems }: Kind<R>): Route[] {
  const sentences = (...some: (string | undefined)[]): string => some.filter((text) => text !== undefined).join(' ');
  return [
    route({
      id: `chmod${id}`,
      method: 'post',
      path: `${path}/{id}/chmod`,
      tag,
      summary: `Change who may use, manage and administer ${noun}`,
      description: sentences('Needs the MANAGE right on it, and ADMIN to change an ADMIN bit.', also?.chmod),
      params: ById,
      query: NoQuery,
      body: json(Chmod),
      answer: shows(schema),
      problems: ['not_found', ...(problems?.chmod ?? [])],
      handle: ({ ownership }, { caller, params, body }) => of(ownership).chmod(caller, params.id, body),
    }),
    route({
      id: `chown${id}`,
      method: 'post',
      path: `${path}/{id}/chown`,
      tag,
      summary: `Give ${noun} to another owner or group`,
      description: sentences(
        'Needs the MANAGE right on it, and ADMIN where an ADMIN bit comes into other hands; MANAGE on a new owner other than yourself; USE on a new group that you are not in.',
        also?.chown,
      ),
      params: ById,
      query: NoQuery,
      body: json(Chown),
      answer: shows(schema),
      problems: ['not_found', ...(problems?.chown ?? [])],
      handle: ({ ownership }, { caller, params, body }) => of(ownership).chown(caller, params.id, body),
    }),
  ];
}
