import { PerformAction } from '../../../schemas/scaling/actions.js';
import { RemoveRole, ScaleRole } from '../../../schemas/scaling/scaling.js';
import { RoleTemplate } from '../../../schemas/services/service-template.js';
import { actedOn, addedRole, ids, scaledUp } from '../operations/operations-examples.js';
import { accepts, ById, json, NoQuery, type Route, route } from '../route.js';
import { RoleOfService } from './role-of-service.js';

const slices =
  'Takes the VMs that there are now, `number` at a time, `period` seconds after one another; each VM then has an operation of its own, with your rights. The operation has done its work when all have been asked: it fails when some refused, which its `performed` says of each. VMs that come later are left out.';
const ofRole = { at: '/vm_template', as: 'the VM template that it names' } as const;
const actionProblems = [
  'not_found',
  'wrong_state',
  'operation_in_progress',
  'idempotency_key_reused',
  'quota_exceeded',
] as const;

export const scalingRoutes: readonly Route[] = [
  route({
    id: 'scaleRole',
    method: 'post',
    path: '/services/{id}/roles/{role}/scale',
    tag: 'Services',
    summary: 'Give a role another number of VMs',
    needs: [['manage', 'service']],
    description:
      'Makes VMs that the role lacks, or removes those that are too many, the oldest first, as its shutdown action says. Roles of one service are scaled side by side; one that is at work refuses. `cardinality` lies within `min_vms` and `max_vms` of the role, unless `force` says otherwise.',
    params: RoleOfService,
    query: NoQuery,
    body: json(ScaleRole.meta({ id: 'ScaleRole' })),
    answer: accepts,
    problems: ['not_found', 'wrong_state', 'operation_in_progress', 'idempotency_key_reused', 'quota_exceeded'],
    examples: [{ params: { id: '1', role: 'web' }, body: { cardinality: 3 }, answer: scaledUp(ids.scaling) }],
    handle: ({ scaling }, { caller, params, body, admission }) =>
      scaling.scale(caller, params.id, params.role, body, admission),
  }),
  route({
    id: 'addRole',
    method: 'post',
    path: '/services/{id}/roles',
    tag: 'Services',
    summary: 'Add a role to a service that was deployed',
    needs: [
      ['manage', 'service'],
      ['create', 'vm'],
      ['use', 'vm_template', ofRole],
    ],
    description:
      'Of a template as its roles are, but that it is tied by placement to its own VMs alone. `$NAME` of the custom attributes of the service is filled in. Its parents have to run, unless it has `on_hold`. Other roles go on meanwhile.',
    params: ById,
    query: NoQuery,
    body: json(RoleTemplate.strict().meta({ id: 'AddRole' })),
    answer: accepts,
    problems: ['not_found', 'wrong_state', 'operation_in_progress', 'idempotency_key_reused', 'quota_exceeded'],
    examples: [
      {
        params: { id: '1' },
        body: { name: 'cache', vm_template: 0 },
        answer: addedRole(ids.addition, '09:53:40'),
      },
    ],
    handle: ({ scaling }, { caller, params, body, admission }) => scaling.addRole(caller, params.id, body, admission),
  }),
  route({
    id: 'removeRole',
    method: 'post',
    path: '/services/{id}/roles/{role}/remove',
    tag: 'Services',
    summary: 'Remove a role from a service, with its VMs',
    needs: [['manage', 'service']],
    description:
      'Ends the VMs of the role as its shutdown action says; then it is no more, nor are its policies. Refused while other roles name it as a parent or in their placement, and while VMs of it are protected, but by `force`. What of it cannot be ended leaves it FAILED_SCALING: `recover` goes on, and another scaling keeps it.',
    params: RoleOfService,
    query: NoQuery,
    body: json(RemoveRole.meta({ id: 'RemoveRole' }), 'optional'),
    answer: accepts,
    problems: ['not_found', 'wrong_state', 'operation_in_progress', 'idempotency_key_reused'],
    examples: [{ params: { id: '1', role: 'cache' }, body: {}, answer: addedRole(ids.removal, '09:53:50') }],
    handle: ({ scaling }, { caller, params, body, admission }) =>
      scaling.removeRole(caller, params.id, params.role, body, admission),
  }),
  route({
    id: 'performOnRole',
    method: 'post',
    path: '/services/{id}/roles/{role}/actions',
    tag: 'Services',
    summary: 'Do something to every VM of a role, some at a time',
    needs: [['manage', 'service']],
    description: `${slices} Scalings of the role, and other actions on it, go on beside it.`,
    params: RoleOfService,
    query: NoQuery,
    body: json(PerformAction.meta({ id: 'PerformAction' })),
    answer: accepts,
    problems: actionProblems,
    examples: [
      {
        params: { id: '1', role: 'web' },
        body: { action: 'recreate', number: 1, period: 1 },
        answer: actedOn(ids.action, 'web'),
      },
    ],
    handle: async ({ scaling }, { caller, params, body, admission }) =>
      (await scaling.perform(caller, params.id, params.role, body, admission)).operation,
  }),
  route({
    id: 'performOnService',
    method: 'post',
    path: '/services/{id}/actions',
    tag: 'Services',
    summary: 'Do something to every VM of a service, some at a time',
    needs: [['manage', 'service']],
    description: slices,
    params: ById,
    query: NoQuery,
    body: json(PerformAction.meta({ id: 'PerformAction' })),
    answer: accepts,
    problems: actionProblems,
    examples: [{ params: { id: '1' }, body: { action: 'resume' }, answer: actedOn(ids.actionOnAll, null) }],
    handle: async ({ scaling }, { caller, params, body, admission }) =>
      (await scaling.perform(caller, params.id, null, body, admission)).operation,
  }),
];
