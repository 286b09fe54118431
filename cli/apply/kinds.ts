import { z } from 'zod';
import { ClusterResource, CreateCluster } from '../../schemas/hosts/cluster.js';
import { CreateHost, HostResource } from '../../schemas/hosts/host.js';
import { CreateGroup, GroupResource } from '../../schemas/identity/group.js';
import { asDefault, QuotaResource, quotaKinds, UpdateQuota, UpdateUserQuota } from '../../schemas/identity/quota.js';
import { countedKinds, type ManagedKind } from '../../schemas/kinds.js';
import { ServiceTemplateBody, ServiceTemplateResource } from '../../schemas/services/service-template.js';
import { CreateVmTemplate, VmTemplateResource } from '../../schemas/vms/vm-template.js';
import { limitOf, noLimit } from '../identity/quota-limit.js';
import { nounOf } from '../shell/noun-of.js';

type Attributes = Record<string, unknown>;

/** A kind of object that `apply` can make, as it is called in a document. */
export type Kind = {
  noun: string;
  path: string;
  /** The command that shows one, where that is not `show` of its noun. */
  shown?: string;
  /** The list that has the name, where that is of another kind: quotas are there as long as their user or group. */
  among?: string;
  /** What is sent to make one: what a document holds beside its kind. */
  wish: z.ZodType;
  /** A document in the words of the server, where people may write something else. */
  read?: (document: Attributes) => Attributes;
  /** What the server answers. */
  answer: z.ZodType<{ id: number; name: string }>;
  /** An object that is there, in the words of a document. */
  asDocument: (object: unknown) => Attributes;
  /** A document says all there is to say of the object (PUT), or only what it names (PATCH). */
  update: 'PUT' | 'PATCH';
  /** Members whose own are named in any letter case, which the server keeps in upper case. */
  anyCase?: readonly string[];
  /** What the server adds to, instead of putting it in the place of what is there. */
  merges?: readonly string[];
  /** Names of other objects that a document may have where the server wants ids: role by role, say. */
  references?: (document: Attributes) => { pointer: string; kind: string; value: unknown; put: (id: number) => void }[];
};

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

const quotaOf = (holder: 'user' | 'group'): Kind => ({
  noun: `quota of ${holder}`,
  shown: `quota show ${holder}`,
  path: `/quotas/${holder}s`,
  among: `/${holder}s`,
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

/** In the order in which they are made: what others name comes first. */
const rows = {
  group: {
    ...nounOf('group'),
    wish: CreateGroup,
    answer: GroupResource,
    asDocument: (object) => GroupResource.parse(object),
    update: 'PATCH',
    merges: ['create'],
  },
  group_quota: quotaOf('group'),
  user_quota: quotaOf('user'),
  cluster: {
    ...nounOf('cluster'),
    wish: CreateCluster,
    answer: ClusterResource,
    asDocument: (object) => ClusterResource.parse(object),
    update: 'PATCH',
    merges: ['attributes', 'reserved'],
    anyCase: ['attributes'],
  },
  host: {
    ...nounOf('host'),
    wish: CreateHost,
    answer: HostResource,
    asDocument: (object) => {
      const { cpu, memory, ...rest } = HostResource.parse(object);
      return { ...rest, cpu: cpu.total, memory: memory.total };
    },
    update: 'PATCH',
    merges: ['attributes', 'reserved'],
    anyCase: ['attributes'],
    references: (host) =>
      'cluster_id' in host
        ? [
            {
              pointer: '/cluster_id',
              kind: 'cluster',
              value: host.cluster_id,
              put: (id: number) => {
                host.cluster_id = id;
              },
            },
          ]
        : [],
  },
  vm_template: {
    ...nounOf('vm_template'),
    wish: CreateVmTemplate,
    answer: VmTemplateResource,
    asDocument: (object) => {
      const { name, template } = VmTemplateResource.parse(object);
      return { name, template };
    },
    update: 'PUT',
  },
  service_template: {
    ...nounOf('service_template'),
    wish: ServiceTemplateBody,
    answer: ServiceTemplateResource,
    asDocument: (object) => ServiceTemplateResource.parse(object).body,
    update: 'PUT',
    references: ({ roles }) =>
      (Array.isArray(roles) ? roles : []).flatMap((role: unknown, at) =>
        isObject(role)
          ? [
              {
                pointer: `/roles/${at}/vm_template`,
                kind: 'vm_template',
                value: role.vm_template,
                put: (id: number) => {
                  role.vm_template = id;
                },
              },
            ]
          : [],
      ),
  },
} satisfies Record<ManagedKind | 'group' | 'group_quota' | 'user_quota', Kind>;
export const kinds: Readonly<Record<string, Kind>> = rows;

/** What documents may name: also what they cannot make, having no place for a password. */
export const nameable: Readonly<Record<string, Pick<Kind, 'noun' | 'path'>>> = {
  ...kinds,
  user: nounOf('user'),
};

export const isObject = (value: unknown): value is Attributes =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
