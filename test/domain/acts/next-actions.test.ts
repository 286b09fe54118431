import { describe, expect, it } from 'vitest';
import type { ActionFacts, FactsOf, OperationFacts, ResourceFacts, Work } from '../../../domain/acts/facts.js';
import { nextActions } from '../../../domain/acts/next-actions.js';
import { vmStateNames } from '../../../domain/vms/vm-states.js';
import { NextAction } from '../../../schemas/operations/next-action.js';
import { type Operation, OperationState } from '../../../schemas/operations/operation.js';
import { ServiceState } from '../../../schemas/services/service.js';

const op = '01KAJ3V5Q0F8T4X2M7N9P6R1SC';

const facts = (over: Partial<ActionFacts> = {}): ActionFacts => ({
  about: 'operation',
  operation: null,
  after: null,
  resource: null,
  mayManage: true,
  mayAdmin: false,
  ...over,
});

const operation = (state: Operation['state'], kind: Operation['kind'] = 'deployService'): OperationFacts => ({
  ...{ _id: op, kind, state, input: {}, cancel_requested: null, answer: null },
  resource: kind.endsWith('Service')
    ? { type: 'service', id: 12 }
    : kind.endsWith('Vm')
      ? { type: 'vm', id: 34 }
      : { type: 'zone', id: 0 },
});
/** Somebody's: whose does not matter. */
const atWork: Work = { op, kind: null, state: 'running' };

const service = (state: ServiceState, over: Partial<FactsOf<'service'>> = {}): ResourceFacts => ({
  type: 'service',
  id: 12,
  state,
  work: null,
  going: null,
  roles: state === 'WARNING' || state === 'FAILED_DEPLOYING' ? [{ name: 'web', state, work: null, amiss: true }] : [],
  ...over,
});
const vm = (state: FactsOf<'vm'>['state'], over: Partial<FactsOf<'vm'>> = {}): ResourceFacts => ({
  type: 'vm',
  id: 34,
  state,
  work: null,
  going: null,
  unready: false,
  between: false,
  ofService: false,
  resched: false,
  ...over,
});

const disabled: FactsOf<'host'> = {
  ...{ type: 'host', id: 3, name: 'host-3', state: 'DISABLED', error: null, vms: 0, work: null },
};

const names = (over: Partial<ActionFacts>): string[] => nextActions(facts(over)).map(({ name }) => name);

const stopping = { by: { id: 0, name: 'oneadmin' }, at: new Date(0) };

describe('what may be done', () => {
  it.each<[string, Partial<ActionFacts>, string[]]>([
    [
      'a deployment at work',
      { operation: operation('running'), resource: service('DEPLOYING', { work: atWork }) },
      ['cancel', 'undeploy', 'delete'],
    ],
    [
      'one that stops already',
      {
        operation: { ...operation('running'), cancel_requested: stopping },
        resource: service('DEPLOYING', { work: atWork }),
      },
      ['undeploy', 'delete'],
    ],
    [
      'one that asks',
      { operation: operation('waiting_for_you'), resource: service('DEPLOYING', { work: atWork }) },
      ['retry', 'skip', 'give_up', 'cancel', 'undeploy', 'delete'],
    ],
    [
      'one that asks, and is being pre-empted',
      {
        operation: operation('waiting_for_you'),
        resource: service('DEPLOYING', { work: atWork, going: { hard: true, remove: true } }),
      },
      ['cancel'],
    ],
    [
      'one that asks, and stops',
      {
        operation: { ...operation('waiting_for_you'), cancel_requested: stopping },
        resource: service('DEPLOYING', { work: atWork }),
      },
      ['undeploy', 'delete'],
    ],
    [
      'one that failed',
      { operation: operation('failed'), resource: service('FAILED_DEPLOYING') },
      ['retry', 'undeploy', 'delete'],
    ],
    [
      'one that was cancelled',
      { operation: operation('cancelled'), resource: service('FAILED_DEPLOYING') },
      ['retry', 'undeploy', 'delete'],
    ],
    [
      'one that failed before others came',
      {
        operation: operation('failed'),
        after: { _id: `${op}2`, kind: 'undeployService' },
        resource: service('FAILED_DEPLOYING'),
      },
      ['undeploy', 'delete'],
    ],
    [
      'one that failed, while another is at work',
      { operation: operation('failed'), resource: service('FAILED_DEPLOYING', { work: atWork }) },
      ['undeploy', 'delete'],
    ],
    [
      'a failed service',
      { about: 'resource', operation: operation('failed'), resource: service('FAILED_DEPLOYING') },
      ['recover', 'undeploy', 'delete'],
    ],
    [
      'a failed service with nothing known of its operations',
      { about: 'resource', resource: service('FAILED_UNDEPLOYING') },
      ['recover', 'undeploy', 'delete'],
    ],
    [
      'a service that runs',
      { about: 'resource', operation: operation('succeeded'), resource: service('RUNNING') },
      ['undeploy', 'delete'],
    ],
    [
      'a service that is being undeployed',
      {
        about: 'resource',
        operation: operation('running', 'undeployService'),
        resource: service('UNDEPLOYING', { work: atWork, going: { hard: null, remove: false } }),
      },
      ['cancel', 'undeploy', 'delete'],
    ],
    [
      'a service that is being undeployed hard',
      {
        about: 'resource',
        operation: operation('running', 'undeployService'),
        resource: service('UNDEPLOYING', { work: atWork, going: { hard: true, remove: false } }),
      },
      ['cancel', 'delete'],
    ],
    [
      'a service that is being deleted',
      {
        about: 'resource',
        operation: operation('running', 'undeployService'),
        resource: service('UNDEPLOYING', { work: atWork, going: { hard: true, remove: true } }),
      },
      ['cancel'],
    ],
    [
      'a service that is DONE',
      { about: 'resource', operation: operation('succeeded', 'undeployService'), resource: service('DONE') },
      ['delete'],
    ],
    [
      'an undeployment that failed',
      { operation: operation('failed', 'undeployService'), resource: service('FAILED_UNDEPLOYING') },
      ['retry', 'undeploy', 'delete'],
    ],
    ['a service that is gone', { operation: operation('succeeded', 'undeployService') }, []],
    [
      'a VM that waits for a host',
      { operation: operation('waiting', 'deployVm'), resource: vm('PENDING', { work: atWork }) },
      ['cancel', 'terminate'],
    ],
    [
      'a VM that failed to boot',
      { operation: operation('failed', 'deployVm'), resource: vm('ACTIVE/BOOT_FAILURE') },
      ['retry', 'recreate', 'terminate'],
    ],
    [
      'a VM that failed to boot for its service',
      {
        about: 'resource',
        operation: operation('failed'),
        resource: vm('ACTIVE/BOOT_FAILURE'),
        mayAdmin: true,
      },
      ['retry', 'recreate', 'recover_success', 'terminate'],
    ],
    [
      'a VM that is powered off',
      { about: 'resource', operation: operation('succeeded', 'deployVm'), resource: vm('POWEROFF'), mayAdmin: true },
      ['resume', 'terminate'],
    ],
    [
      'a VM whose host is silent',
      { about: 'resource', operation: operation('succeeded', 'deployVm'), resource: vm('ACTIVE/UNKNOWN') },
      ['retry', 'resume', 'recreate', 'terminate'],
    ],
    [
      'a VM whose host is silent, to an administrator',
      { about: 'resource', resource: vm('ACTIVE/UNKNOWN'), mayAdmin: true },
      ['retry', 'resume', 'recreate', 'recover_success', 'recover_failure', 'terminate'],
    ],
    [
      'a service in WARNING',
      { about: 'resource', operation: operation('succeeded'), resource: service('WARNING') },
      ['repair', 'undeploy', 'delete'],
    ],
    [
      'a repair that failed',
      { operation: operation('failed', 'repairService'), resource: service('WARNING') },
      ['retry', 'undeploy', 'delete'],
    ],
    [
      'a host that does not answer',
      {
        about: 'resource',
        resource: { type: 'host', id: 3, name: 'host-3', state: 'ERROR', error: null, vms: 0, work: null },
      },
      ['disable', 'offline'],
    ],
    [
      'a VM that is being terminated',
      {
        operation: operation('running', 'terminateVm'),
        resource: vm('ACTIVE/SHUTDOWN', { work: atWork, going: { hard: false } }),
      },
      ['cancel', 'terminate'],
    ],
    [
      'a VM that is being terminated hard',
      {
        operation: operation('running', 'terminateVm'),
        resource: vm('ACTIVE/SHUTDOWN', { work: atWork, going: { hard: true } }),
      },
      ['cancel'],
    ],
    [
      'a VM that was not terminated',
      { operation: operation('failed', 'terminateVm'), resource: vm('ACTIVE/UNKNOWN') },
      ['retry', 'resume', 'recreate', 'terminate'],
    ],
    [
      'a VM that has not reported',
      { about: 'resource', resource: vm('ACTIVE/RUNNING', { unready: true }) },
      ['report_ready', 'terminate'],
    ],
    ...(['ACTIVE/PROLOG_FAILURE', 'ACTIVE/BOOT_FAILURE', 'ACTIVE/UNKNOWN'] as const).map(
      (state): [string, Partial<ActionFacts>, string[]] => [
        `a VM that is ${state} on a host that is OFFLINE`,
        { about: 'resource', operation: operation('failed', 'deployVm'), resource: vm(state, { offline: 'host-3' }) },
        ['recreate', 'terminate'],
      ],
    ),
    ['a VM that is DONE', { operation: operation('succeeded', 'terminateVm'), resource: vm('DONE') }, []],
    [
      'a host that takes VMs',
      {
        about: 'resource',
        resource: { type: 'host', id: 3, name: 'host-3', state: 'MONITORED', error: null, vms: 0, work: null },
      },
      ['disable'],
    ],
    [
      'a host that is disabled',
      {
        about: 'resource',
        resource: { type: 'host', id: 3, name: 'host-3', state: 'DISABLED', error: null, vms: 0, work: null },
      },
      ['enable'],
    ],
    [
      'a host that is disabled and does not answer',
      {
        about: 'resource',
        resource: { type: 'host', id: 3, name: 'host-3', state: 'DISABLED', error: 'no route', vms: 2, work: null },
      },
      ['enable', 'offline'],
    ],
    [
      'a host whose flush has failed',
      {
        about: 'resource',
        operation: operation('failed', 'flushHost'),
        resource: { type: 'host', id: 3, name: 'host-3', state: 'DISABLED', error: null, vms: 2, work: null },
        mayAdmin: true,
      },
      ['retry', 'enable'],
    ],
    [
      'a host whose flush has succeeded, and to which VMs were deployed since',
      {
        about: 'resource',
        operation: operation('succeeded', 'flushHost'),
        resource: { type: 'host', id: 3, name: 'host-3', state: 'DISABLED', error: null, vms: 2, work: null },
        mayAdmin: true,
      },
      ['enable', 'flush'],
    ],
    [
      'a host that was enabled after its flush had failed',
      {
        about: 'resource',
        operation: operation('failed', 'flushHost'),
        resource: { type: 'host', id: 3, name: 'host-3', state: 'MONITORED', error: null, vms: 2, work: null },
        mayAdmin: true,
      },
      ['disable'],
    ],
    [
      'a host that has no VMs, and a policy that is not armed',
      {
        about: 'resource',
        resource: { ...disabled, ha: { automatic: 1, armed: false } },
        mayAdmin: true,
      },
      ['enable', 'test_fencing'],
    ],
    [
      'a host whose fencing test has failed',
      {
        about: 'resource',
        operation: operation('failed', 'testFencing'),
        resource: { ...disabled, ha: { automatic: 1, armed: false } },
        mayAdmin: true,
      },
      ['retry', 'enable'],
    ],
    [
      'a host that its fencing test has left off',
      {
        about: 'resource',
        operation: operation('failed', 'testFencing'),
        resource: { ...disabled, error: 'no route', ha: { automatic: 1, armed: false }, cut: true },
        mayAdmin: true,
      },
      ['retry', 'enable', 'offline', 'fenced'],
    ],
    [
      'a host whose policy is armed, or asks a person',
      { about: 'resource', resource: { ...disabled, ha: { automatic: 1, armed: true } }, mayAdmin: true },
      ['enable'],
    ],
    [
      'a host that runs domains of others, and whose policy is not armed',
      {
        about: 'resource',
        resource: { ...disabled, ha: { automatic: 1, armed: false }, outside: true },
        mayAdmin: true,
      },
      ['enable'],
    ],
    [
      'a host that is offline',
      {
        about: 'resource',
        resource: { type: 'host', id: 3, name: 'host-3', state: 'OFFLINE', error: null, vms: 0, work: null },
      },
      ['enable'],
    ],
    [
      'a consistency check at work',
      { operation: operation('running', 'checkConsistency'), resource: { type: 'zone', id: 0, work: null } },
      ['cancel'],
    ],
    [
      'a consistency check that failed',
      { operation: operation('failed', 'checkConsistency'), resource: { type: 'zone', id: 0, work: null } },
      ['retry'],
    ],
  ])('about %s', (_, over, expected) => {
    expect(names(over)).toEqual(expected);
    // Who may not manage it may do nothing.
    expect(names({ ...over, mayManage: false })).toEqual([]);
  });

  it('keeps its shape in every state, names each action once, and offers none to answer what is not asked', () => {
    for (const about of ['operation', 'resource'] as const)
      for (const state of OperationState.options)
        for (const resource of [
          ...ServiceState.options.map((name) => service(name)),
          ...vmStateNames.map((name) => vm(name)),
        ]) {
          const kind = resource.type === 'service' ? 'deployService' : 'deployVm';
          const actions = nextActions(facts({ about, operation: operation(state, kind), resource }));
          for (const action of actions) expect(NextAction.parse(action)).toEqual(action);
          const offered = actions.map(({ name }) => name);
          expect(new Set(offered).size).toBe(offered.length);
          if (state !== 'waiting_for_you') expect(offered).not.toContain('skip');
        }
  });

  it('names what is tried again of what is well', () => {
    const host = { type: 'host', id: 3, name: 'host-3', state: 'DISABLED', error: null, vms: 2, work: null } as const;
    const said = (kind: Operation['kind'], resource: ResourceFacts) =>
      nextActions(facts({ about: 'resource', operation: operation('failed', kind), resource, mayAdmin: true }))[0]
        ?.description;
    expect(said('flushHost', host)).toMatch(/^Flush it again: /);
    expect(said('migrateVm', vm('ACTIVE/RUNNING'))).toMatch(/^Migrate it again: /);
  });

  it('says of what failed and nobody goes through that it can be gone through', () => {
    const debugging = { session: 7, current: 1, begun: false, actions: ['deploy'] };
    // Its last operation may be tried again, too: of the two retries that one is offered.
    const last = { about: 'resource', operation: operation('failed', 'deployVm') } as const;
    const offered = (over: Partial<FactsOf<'vm'>>) =>
      nextActions(facts({ ...last, resource: vm('ACTIVE/PROLOG_FAILURE', over) })).map(
        ({ name, description }) => `${name}: ${description}`,
      );
    const byAction = 'debug: Go through what failed action by action, each done or left out as you answer.';
    expect(offered({ debugging })).toContain(byAction);
    expect(offered({}).some((text) => text.startsWith('debug'))).toBe(false);
    expect(offered({ debugging: { ...debugging, begun: true } })).toContain(
      'debug: Go on with action 1 of 1 of what failed.',
    );
  });

  it('can be sent and typed as it is offered', () => {
    expect(nextActions(facts({ operation: operation('waiting_for_you'), resource: service('DEPLOYING') }))[1]).toEqual({
      name: 'skip',
      description: 'Go on without the VMs that failed, with those that run.',
      method: 'POST',
      href: `/api/v1/operations/${op}/answer`,
      body: { answer: 'skip' },
      command: `arcus operation answer ${op} skip`,
    });
  });
});
