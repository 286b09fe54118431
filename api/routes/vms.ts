import { z } from 'zod';
import { CreateVm, TerminateVm, UpdateVm, VmResource, VmState, vmFields } from '../../schemas/vm.js';
import { listQuery } from '../list-query.js';
import { accepts, ById, json, lists, NoParams, NoQuery, noBody, type Route, route, shows } from '../route.js';

const VmQuery = listQuery(vmFields, VmResource).extend({
  state: VmState.optional().describe('Only VMs in this state'),
  service_id: z.coerce.number().int().min(0).optional().describe('Only VMs of this service'),
});

export const vmRoutes: readonly Route[] = [
  route({
    id: 'listVms',
    method: 'get',
    path: '/vms',
    tag: 'VMs',
    summary: 'List VMs',
    params: NoParams,
    query: VmQuery,
    body: noBody,
    answer: lists('VmPage', VmResource),
    problems: [],
    handle: ({ vms }, { caller, query }) => vms.list(caller, query),
  }),
  route({
    id: 'createVm',
    method: 'post',
    path: '/vms',
    tag: 'VMs',
    summary: 'Make a VM from a VM template',
    description: 'A VM that fits on no host is PENDING with the reason, and is placed when capacity appears.',
    params: NoParams,
    query: NoQuery,
    body: json(CreateVm.meta({ id: 'CreateVm' })),
    answer: accepts,
    problems: ['not_found', 'quota_exceeded', 'idempotency_key_reused'],
    handle: ({ vms }, { caller, body, admission }) => vms.create(caller, body, admission),
  }),
  route({
    id: 'showVm',
    method: 'get',
    path: '/vms/{id}',
    tag: 'VMs',
    summary: 'Show a VM',
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: shows(VmResource),
    problems: ['not_found'],
    handle: ({ vms }, { caller, params }) => vms.show(caller, params.id),
  }),
  route({
    id: 'updateVm',
    method: 'patch',
    path: '/vms/{id}',
    tag: 'VMs',
    summary: 'Change the user template of a VM',
    description: 'Attributes that are not named stay. `READY: "YES"` opens the ready gate of its service.',
    params: ById,
    query: NoQuery,
    body: json(UpdateVm.meta({ id: 'UpdateVm' })),
    answer: shows(VmResource),
    problems: ['not_found', 'wrong_state'],
    handle: ({ vms }, { caller, params, body }) => vms.update(caller, params.id, body),
  }),
  route({
    id: 'terminateVm',
    method: 'post',
    path: '/vms/{id}/terminate',
    tag: 'VMs',
    summary: 'End a VM for good',
    params: ById,
    query: NoQuery,
    body: json(TerminateVm.meta({ id: 'TerminateVm' }), 'optional'),
    answer: accepts,
    problems: ['not_found', 'wrong_state', 'operation_in_progress', 'idempotency_key_reused'],
    handle: ({ vms }, { caller, params, body, admission }) => vms.terminate(caller, params.id, body, admission),
  }),
];
