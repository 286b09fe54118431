import { DeployVm, MigrateVm, VmResource } from '../../../schemas/vms/vm.js';
import { accepted, heldVm, ids, placedVm, buildServer as vm } from '../operations/operations-examples.js';
import { accepts, ById, json, NoQuery, noBody, type Route, route, shows } from '../route.js';
import { onHold, toldServer } from './vms-examples.js';

/** Where a VM is to be, and whether a host is looked for. */
export const vmPlacingRoutes: readonly Route[] = [
  route({
    id: 'holdVm',
    method: 'post',
    path: '/vms/{id}/hold',
    tag: 'VMs',
    summary: 'Put a VM on hold that has no host yet',
    needs: [['manage', 'vm']],
    description:
      'No host is looked for until it is released. A deployment of it that waits for one is cancelled. One of a service is not put on hold by itself.',
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: shows(VmResource),
    problems: ['not_found', 'wrong_state', 'operation_in_progress'],
    examples: [{ params: { id: '14' }, answer: onHold }],
    handle: ({ vms }, { caller, params, precondition }) => vms.hold(caller, params.id, precondition),
  }),
  route({
    id: 'releaseVm',
    method: 'post',
    path: '/vms/{id}/release',
    tag: 'VMs',
    summary: 'Deploy a VM that is on hold',
    needs: [['manage', 'vm']],
    params: ById,
    query: NoQuery,
    body: noBody,
    answer: accepts,
    problems: ['not_found', 'wrong_state', 'operation_in_progress', 'idempotency_key_reused', 'quota_exceeded'],
    examples: [{ params: { id: '14' }, answer: accepted(ids.vmRelease, 'deployVm', heldVm, '09:55:20') }],
    handle: ({ vms }, { caller, params, admission }) => vms.release(caller, params.id, admission),
  }),
  route({
    id: 'deployVm',
    method: 'post',
    path: '/vms/{id}/deploy',
    tag: 'VMs',
    summary: 'Deploy a VM to a host that is named',
    needs: [
      ['admin', 'vm'],
      ['manage', 'host', { at: '/host' }],
    ],
    description:
      'For VMs that are PENDING, on hold, UNDEPLOYED or STOPPED. The host need not meet what the VM requires; a host that does not take it is refused before anything is changed.',
    params: ById,
    query: NoQuery,
    body: json(DeployVm.meta({ id: 'DeployVm' })),
    answer: accepts,
    problems: ['not_found', 'wrong_state', 'operation_in_progress', 'idempotency_key_reused', 'quota_exceeded'],
    examples: [
      { params: { id: '15' }, body: { host: 0 }, answer: accepted(ids.vmDeploy, 'deployVm', placedVm, '09:55:40') },
    ],
    handle: ({ vms }, { caller, params, body, admission }) => vms.deploy(caller, params.id, body, admission),
  }),
  ...(['resched', 'unresched'] as const).map((verb) =>
    route({
      id: `${verb}Vm`,
      method: 'post',
      path: `/vms/{id}/${verb}`,
      tag: 'VMs',
      summary: verb === 'resched' ? 'Mark a VM that is to go to another host' : 'Take that mark from a VM',
      needs: [['admin', 'vm']],
      description:
        verb === 'resched'
          ? 'For VMs that are RUNNING or UNKNOWN. One that runs is migrated as soon as another host of its cluster takes it, and is not marked any more then, nor after whatever else switches it.'
          : 'A migration that has begun goes on.',
      params: ById,
      query: NoQuery,
      body: noBody,
      answer: shows(VmResource),
      problems: ['not_found', 'wrong_state'],
      examples: [{ params: { id: '3' }, answer: { ...toldServer, resched: verb === 'resched' } }],
      handle: ({ vms }, { caller, params, precondition }) =>
        vms.resched(caller, params.id, verb === 'resched', precondition),
    }),
  ),
  route({
    id: 'migrateVm',
    method: 'post',
    path: '/vms/{id}/migrate',
    tag: 'VMs',
    summary: 'Take a VM to another host',
    needs: [
      ['admin', 'vm'],
      ['manage', 'host', { at: '/host' }],
    ],
    description:
      'Of its cluster: to the one that is named, or where it fits. `live`: without a break, where it runs. One that is POWEROFF or SUSPENDED stays so. When it fails the VM is where it was, and as it was.',
    params: ById,
    query: NoQuery,
    body: json(MigrateVm.meta({ id: 'MigrateVm' }), 'optional'),
    answer: accepts,
    problems: ['not_found', 'wrong_state', 'operation_in_progress', 'idempotency_key_reused'],
    examples: [
      { params: { id: '3' }, body: { live: true }, answer: accepted(ids.migration, 'migrateVm', vm, '09:39:20') },
    ],
    handle: ({ vms }, { caller, params, body, admission }) => vms.migrate(caller, params.id, body, admission),
  }),
];
