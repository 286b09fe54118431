import {
  CreateVm,
  PerformOnVm,
  RecoverVm,
  TerminateVm,
  UpdateVm,
  VmEdit,
  VmResource,
  VmState,
  vmFields,
} from '../../../schemas/vms/vm.js';
import { patches, upperCaseBelow } from '../../http/edit-body.js';
import { PathId } from '../../http/path-id.js';
import { giving, sharing } from '../identity/ownership-examples.js';
import { listQuery } from '../list-query.js';
import { edits } from '../needs.js';
import { accepted, ids, buildServer as vm } from '../operations/operations-examples.js';
import { ownershipRoutes } from '../ownership.js';
import { accepts, ById, json, lists, NoParams, NoQuery, noBody, type Route, route, shows } from '../route.js';
import { vmContextRoute } from './vm-context.js';
import { vmDeviceRoutes } from './vm-devices.js';
import { vmLogRoute } from './vm-log.js';
import { vmPlacingRoutes } from './vm-placing.js';
import { vmScheduleRoutes } from './vm-schedules.js';
import { vmScreenRoute } from './vm-screen.js';
import { vmShapingRoutes } from './vm-shaping.js';
import { buildServer } from './vms-examples.js';

const VmQuery = listQuery(vmFields, VmResource).extend({
  state: VmState.optional().describe('Only VMs in this state'),
  service_id: PathId.optional().describe('Only VMs of this service'),
});

export const vmRoutes: readonly Route[] = [
  route({
    id: 'listVms',
    method: 'get',
    path: '/vms',
    tag: 'VMs',
    summary: 'List VMs',
    needs: [['see', 'vm']],
    params: NoParams,
    query: VmQuery,
    body: noBody,
    answer: lists('VmPage', VmResource),
    problems: [],
    examples: [
      {
        query: { filter: 'service_id=1,lcm_state=RUNNING', fields: 'id,name,role_name' },
        answer: {
          items: [
            { id: 0, name: 'db_0_(service_1)', role_name: 'db' },
            { id: 1, name: 'web_0_(service_1)', role_name: 'web' },
            { id: 2, name: 'web_1_(service_1)', role_name: 'web' },
          ],
          next_cursor: null,
        },
      },
    ],
    handle: ({ vms }, { caller, query }) => vms.list(caller, query),
  }),
  route({
    id: 'createVm',
    method: 'post',
    path: '/vms',
    tag: 'VMs',
    summary: 'Make a VM from a VM template',
    needs: [
      ['create', 'vm'],
      ['use', 'vm_template', { at: '/template_id' }],
    ],
    description: 'A VM that fits on no host is PENDING with the reason, and is placed when capacity appears.',
    params: NoParams,
    query: NoQuery,
    body: json(CreateVm.meta({ id: 'CreateVm' })),
    answer: accepts,
    problems: ['not_found', 'quota_exceeded', 'idempotency_key_reused', 'in_use'],
    examples: [
      { body: { template_id: 0, name: 'build-server' }, answer: accepted(ids.vm, 'deployVm', vm, '09:34:00') },
    ],
    handle: ({ vms }, { caller, body, admission }) => vms.create(caller, body, admission),
  }),
  route({
    id: 'showVm',
    method: 'get',
    path: '/vms/{id}',
    tag: 'VMs',
    summary: 'Show a VM',
    needs: [['use', 'vm']],
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: shows(VmResource),
    problems: ['not_found'],
    examples: [{ params: { id: '3' }, answer: buildServer }],
    handle: ({ vms }, { caller, params }) => vms.show(caller, params.id),
  }),
  route({
    id: 'updateVm',
    method: 'patch',
    path: '/vms/{id}',
    tag: 'VMs',
    summary: 'Change the name or the user template of a VM',
    needs: [edits('vm')],
    description: 'Attributes that are not named stay. `READY: "YES"` opens the ready gate of its service.',
    params: ById,
    query: NoQuery,
    body: patches(UpdateVm.meta({ id: 'UpdateVm' }), VmEdit, upperCaseBelow('user_template')),
    answer: shows(VmResource),
    problems: ['not_found', 'wrong_state'],
    examples: [
      {
        params: { id: '3' },
        body: { user_template: { READY: 'YES' } },
        answer: { ...buildServer, ready: true, user_template: { READY: 'YES' } },
      },
    ],
    handle: ({ vms }, { caller, params, body: revise, precondition }) =>
      vms.update(caller, params.id, { revise, precondition }),
  }),
  route({
    id: 'terminateVm',
    method: 'post',
    path: '/vms/{id}/terminate',
    tag: 'VMs',
    summary: 'End a VM for good',
    description:
      'Of a VM of a service, the cardinality of its role, and what the service is charged, is one VM less when it is DONE.',
    needs: [['manage', 'vm']],
    params: ById,
    query: NoQuery,
    body: json(TerminateVm.meta({ id: 'TerminateVm' }), 'optional'),
    answer: accepts,
    problems: ['not_found', 'wrong_state', 'operation_in_progress', 'idempotency_key_reused'],
    examples: [
      { params: { id: '3' }, body: { hard: true }, answer: accepted(ids.termination, 'terminateVm', vm, '09:52:00') },
    ],
    handle: ({ vms }, { caller, params, body, admission }) => vms.terminate(caller, params.id, body, admission),
  }),
  route({
    id: 'resumeVm',
    method: 'post',
    path: '/vms/{id}/resume',
    tag: 'VMs',
    summary: 'Start a VM again that is switched off, or of which nobody knows',
    needs: [['manage', 'vm']],
    description:
      'Where it is, for POWEROFF, SUSPENDED and UNKNOWN; where it fits, for UNDEPLOYED and STOPPED. One that is SUSPENDED or STOPPED goes on from what was saved.',
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: accepts,
    problems: ['not_found', 'wrong_state', 'operation_in_progress', 'idempotency_key_reused', 'quota_exceeded'],
    examples: [{ params: { id: '3' }, answer: accepted(ids.resumption, 'deployVm', vm, '09:36:00') }],
    handle: ({ vms }, { caller, params, admission }) => vms.resume(caller, params.id, admission),
  }),
  route({
    id: 'performOnVm',
    method: 'post',
    path: '/vms/{id}/actions',
    tag: 'VMs',
    summary: 'Switch a VM off, or reboot it',
    needs: [['manage', 'vm']],
    description:
      'It is there before and after, and is resumed when it is wanted again. docs/vm-actions.md says in which states each can be done. Of a VM of a service, role and service are as well as they were.',
    params: ById,
    query: NoQuery,
    body: json(PerformOnVm.meta({ id: 'PerformOnVm' })),
    answer: accepts,
    problems: ['not_found', 'wrong_state', 'operation_in_progress', 'idempotency_key_reused'],
    examples: [
      {
        params: { id: '3' },
        body: { action: 'reboot' },
        answer: { ...accepted(ids.reboot, 'performOnVm', vm, '09:39:00'), action: 'reboot' },
      },
    ],
    handle: ({ vms }, { caller, params, body, admission }) => vms.switch(caller, params.id, body, admission),
  }),
  ...vmPlacingRoutes,
  ...vmShapingRoutes,
  ...vmDeviceRoutes,
  ...vmScheduleRoutes,
  vmLogRoute,
  vmContextRoute,
  vmScreenRoute,
  route({
    id: 'recoverVm',
    method: 'post',
    path: '/vms/{id}/recover',
    tag: 'VMs',
    summary: 'Bring a VM out of a state in which it hangs',
    needs: [
      ['manage', 'vm'],
      ['admin', 'vm', { when: 'for `success` and `failure`, and to skip an action' }],
    ],
    description:
      'What each action does in each state is in docs/recovery.md. success and failure claim what Arcus has not seen: they need the ADMIN right. With `interactive` a retry does one action alone of what failed, which `debugging` of the VM shows, and the VM stays as it is; to skip one takes the ADMIN right, too.',
    params: ById,
    query: NoQuery,
    body: json(RecoverVm.meta({ id: 'RecoverVm' })),
    answer: accepts,
    problems: ['not_found', 'wrong_state', 'operation_in_progress', 'idempotency_key_reused', 'quota_exceeded'],
    examples: [
      {
        params: { id: '3' },
        body: { action: 'recreate' },
        answer: accepted(ids.recreation, 'deployVm', vm, '09:38:00'),
      },
    ],
    handle: ({ vms }, { caller, params, body, admission }) => vms.recover(caller, params.id, body, admission),
  }),
  ...ownershipRoutes('vm', {
    schema: VmResource,
    examples: { chmod: sharing('3', buildServer), chown: giving('3', buildServer) },
    of: ({ ownership }) => ownership.vm,
    also: {
      chmod: 'Its operations have the same then.',
      chown:
        'Its operations go with it, and what it is charged to the quotas of the new owner and group. One of a service cannot be given away by itself.',
    },
    problems: { chown: ['wrong_state'] },
  }),
];
