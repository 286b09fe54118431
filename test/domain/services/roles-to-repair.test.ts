import { describe, expect, it } from 'vitest';
import { mayRecover, mayRepair } from '../../../domain/acts/service-acts.js';
import { rolesToRepair } from '../../../domain/services/roles-to-repair.js';
import type { ServiceState } from '../../../schemas/services/service.js';

const role = (name: string, state: ServiceState, affinity: string[] = []) => ({
  ...{ name, state },
  ...(affinity.length > 0 && { placement: { affinity, anti_affinity: [] } }),
});

describe('the roles that a repair takes', () => {
  it('are those that are amiss, and no others', () => {
    const states: ServiceState[] = ['RUNNING', 'WARNING', 'COOLDOWN', 'SCALING', 'FAILED_SCALING', 'HOLD', 'PENDING'];
    const later: ServiceState[] = ['DEPLOYING', 'FAILED_DEPLOYING'];
    expect(rolesToRepair([...states, ...later].map((state) => role(state, state)))).toEqual(['WARNING', ...later]);
  });

  it('have those with them that are to be on one host with them, in whatever state but on hold', () => {
    const roles = [
      role('a', 'WARNING', ['b']),
      role('b', 'RUNNING'),
      role('c', 'SCALING', ['b']),
      role('d', 'HOLD', ['a']),
      role('e', 'RUNNING', ['f']),
      role('f', 'RUNNING'),
    ];
    expect(rolesToRepair(roles)).toEqual(['a', 'b', 'c']);
  });

  it('are the one that is asked for, with those', () => {
    const roles = [role('a', 'WARNING'), role('b', 'WARNING', ['c']), role('c', 'RUNNING'), role('d', 'RUNNING')];
    expect(rolesToRepair(roles, 'b')).toEqual(['b', 'c']);
    expect(rolesToRepair(roles, 'd')).toEqual([]);
  });
});

describe('a repair', () => {
  const work = (op: string, kind: 'scaleRole' | 'repairService') =>
    ({ op, kind, state: 'running', by: 'bob' }) as const;
  const service = (state: ServiceState, roles: Parameters<typeof mayRepair>[0]['roles']) =>
    ({ type: 'service', id: 1, state, work: null, going: null, roles }) as const;
  const amiss = (name: string, by: ReturnType<typeof work> | null = null) =>
    ({ name, state: 'WARNING', work: by, amiss: true }) as const;

  it('is done while others of its service are at work, or have failed to be scaled', () => {
    const scaled = { name: 'a', state: 'SCALING', work: work('one', 'scaleRole') } as const;
    const failed = { name: 'a', state: 'FAILED_SCALING', work: null } as const;
    expect(mayRepair(service('SCALING', [scaled, amiss('b')]))).toBe('may');
    expect(mayRepair(service('FAILED_SCALING', [failed, amiss('b')]))).toBe('may');
    expect(mayRecover(service('SCALING', [scaled, amiss('b')]))).toBe('may');
    expect(mayRepair(service('SCALING', [scaled]))).toMatchObject({ code: 'operation_in_progress', operation: 'one' });
  });

  it('is refused with who has which of its roles', () => {
    const [one, other] = [work('one', 'repairService'), work('other', 'scaleRole')];
    const roles = [amiss('a', one), amiss('b', other), amiss('c', one), amiss('d')];
    expect(mayRepair(service('WARNING', roles))).toEqual({
      code: 'operation_in_progress',
      operation: 'one',
      detail:
        'Operation one (repairService) is at work on roles a and c of service 1, for bob; operation other (scaleRole) is at work on role b of service 1, for bob. Wait for them or cancel them, or undeploy or delete the service, which pre-empts all.',
    });
    expect(mayRepair(service('WARNING', roles), 'd')).toBe('may');
  });
});
