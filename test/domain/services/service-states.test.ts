import { describe, expect, it } from 'vitest';
import {
  nextRoleState,
  nextServiceState,
  roleStates,
  type ServiceEvent,
  serviceStates,
} from '../../../domain/services/service-states.js';
import { ServiceState } from '../../../schemas/services/service.js';

const events: ServiceEvent[] = [
  ...(['deploy', 'deployed', 'fail_deploy', 'undeploy', 'undeployed', 'fail_undeploy'] as const),
  ...(['warn', 'well', 'fail_repair'] as const),
  ...(['scale', 'scaled', 'cool', 'fail_scale', 'cooled'] as const),
  ...(['hold', 'release'] as const),
];
const machines = { service: nextServiceState, role: nextRoleState };
type Next = typeof nextServiceState;

function reachable(next: Next, start: ServiceState): Set<ServiceState> {
  const found = new Set([start]);
  for (const state of found)
    for (const event of events) {
      const after = next(state, event);
      if (after !== undefined) found.add(after);
    }
  return found;
}

describe('the states', () => {
  it('stand in the order of OneFlow’s numbers, and those that came later behind', () => {
    expect(ServiceState.options).toEqual([
      ...['PENDING', 'DEPLOYING', 'RUNNING', 'UNDEPLOYING', 'WARNING', 'DONE', 'FAILED_UNDEPLOYING'],
      ...['FAILED_DEPLOYING', 'SCALING', 'FAILED_SCALING', 'COOLDOWN', 'HOLD'],
    ]);
  });
});

describe.each(Object.entries(machines))('the states of a %s', (_, next) => {
  it('have a row for every state of OneFlow', () => {
    expect(Object.keys(serviceStates)).toEqual(ServiceState.options);
    expect(Object.keys(roleStates)).toEqual(ServiceState.options);
  });

  it.each(ServiceState.options.filter((state) => state !== 'DONE'))('let %s be undeployed', (state) => {
    expect(next(state, 'undeploy')).toBe('UNDEPLOYING');
  });

  it('let nothing happen to what is done', () => {
    expect(events.map((event) => next('DONE', event))).toEqual(events.map(() => undefined));
  });

  it('let a deployment begin or be recovered only before it has succeeded', () => {
    const from = ServiceState.options.filter((state) => next(state, 'deploy') !== undefined);
    // A role of a service that is repaired is deployed again.
    const again = next === nextRoleState ? ['RUNNING', 'WARNING'] : ['HOLD'];
    expect(from.toSorted()).toEqual(['PENDING', 'DEPLOYING', 'FAILED_DEPLOYING', ...again].toSorted());
  });

  it('let only what is deploying become RUNNING and only what is undeploying become DONE', () => {
    expect(ServiceState.options.filter((state) => next(state, 'deployed') !== undefined)).toEqual(['DEPLOYING']);
    expect(ServiceState.options.filter((state) => next(state, 'undeployed') !== undefined)).toEqual(['UNDEPLOYING']);
    expect(next('DEPLOYING', 'deployed')).toBe('RUNNING');
    expect(next('UNDEPLOYING', 'undeployed')).toBe('DONE');
  });

  it('name what failed', () => {
    expect(next('DEPLOYING', 'fail_deploy')).toBe('FAILED_DEPLOYING');
    expect(next('UNDEPLOYING', 'fail_undeploy')).toBe('FAILED_UNDEPLOYING');
    expect(next('RUNNING', 'fail_deploy')).toBeUndefined();
    expect(next('RUNNING', 'fail_undeploy')).toBeUndefined();
  });

  it('let what is deployed be scaled, and what was scaled or has failed to be', () => {
    // Of a service that has roles on hold, others may run.
    const held = next === nextRoleState ? [] : ['HOLD'];
    expect(ServiceState.options.filter((state) => next(state, 'scale') !== undefined)).toEqual(
      ServiceState.options.filter((state) =>
        ['RUNNING', 'WARNING', 'SCALING', 'FAILED_SCALING', 'COOLDOWN', ...held].includes(state),
      ),
    );
    const after = (['scaled', 'cool', 'fail_scale'] as const).map((event) => next('SCALING', event));
    expect(after).toEqual(['RUNNING', 'COOLDOWN', 'FAILED_SCALING']);
    expect([next('COOLDOWN', 'cooled'), next('COOLDOWN', 'warn')]).toEqual(['RUNNING', 'WARNING']);
  });

  it('take the event again that brought a state on its way', () => {
    expect(next('DEPLOYING', 'deploy')).toBe('DEPLOYING');
    expect(next('UNDEPLOYING', 'undeploy')).toBe('UNDEPLOYING');
  });

  it.each(ServiceState.options)('have a way from %s to RUNNING or DONE', (state) => {
    const ends = reachable(next, state);
    expect(ends.has('RUNNING') || ends.has('DONE')).toBe(true);
  });
});

describe('a service whose deployment never began', () => {
  it('fails from PENDING, which a role cannot', () => {
    expect(nextServiceState('PENDING', 'fail_deploy')).toBe('FAILED_DEPLOYING');
    expect(nextRoleState('PENDING', 'fail_deploy')).toBeUndefined();
  });
});
