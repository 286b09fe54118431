import { ResizeVm, VmResource } from '../../../schemas/vms/vm.js';
import { forStates } from '../../../schemas/vms/vm-actions.js';
import { ConfigureVm } from '../../../schemas/vms/vm-configuration.js';
import { ById, json, NoQuery, type Route, route, shows } from '../route.js';
import { onHold } from './vms-examples.js';

const larger = {
  ...onHold,
  monitoring: null,
  cpu: 2,
  memory: 1024,
  template: { ...onHold.template, CPU: 2, MEMORY: 1024, VCPU: 4 },
};

/** What a VM is to have, and to be made of, from its next start on. */
export const vmShapingRoutes: readonly Route[] = [
  route({
    id: 'resizeVm',
    method: 'post',
    path: '/vms/{id}/resize',
    tag: 'VMs',
    summary: 'Give a VM another size',
    needs: [['manage', 'vm']],
    description: `For VMs that are ${forStates('resize')}, and of no service. What is not named stays. Its host has to have room for what it takes more, and its owner and group are charged the difference; it has its new size when it starts next.`,
    params: ById,
    query: NoQuery,
    body: json(ResizeVm.meta({ id: 'ResizeVm' })),
    answer: shows(VmResource),
    problems: ['not_found', 'wrong_state', 'operation_in_progress', 'quota_exceeded'],
    examples: [{ params: { id: '14' }, body: { cpu: 2, vcpu: 4, memory: 1024 }, answer: larger }],
    handle: ({ vms }, { caller, params, body, precondition }) => vms.resize(caller, params.id, body, precondition),
  }),
  route({
    id: 'configureVm',
    method: 'post',
    path: '/vms/{id}/updateconf',
    tag: 'VMs',
    summary: 'Change what a VM is made of',
    needs: [['manage', 'vm']],
    description: `For VMs that are ${forStates('updateconf')}. Its size is changed by resizing it. What is changed holds from its next start on.`,
    params: ById,
    query: NoQuery,
    body: json(ConfigureVm.meta({ id: 'ConfigureVm' })),
    answer: shows(VmResource),
    problems: ['not_found', 'wrong_state', 'operation_in_progress'],
    examples: [
      {
        params: { id: '14' },
        body: { template: { OS: { MACHINE: 'q35' } }, append: true },
        answer: { ...larger, template: { ...larger.template, OS: { MACHINE: 'q35' } } },
      },
    ],
    handle: ({ vms }, { caller, params, body, precondition }) => vms.configure(caller, params.id, body, precondition),
  }),
];
