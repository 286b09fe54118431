import { describe, expect, it } from 'vitest';
import { mayRecover, mayRelease, mayRepair } from '../../../domain/acts/service-acts.js';
import { rolesToRecover, rolesToRelease, rolesToRepair } from '../../../domain/services/roles-to-repair.js';
import type { ServiceState } from '../../../schemas/services/service.js';
import { deployingService } from '../../support/deploying-service.js';

const [deployingRole] = deployingService(1, 'op').roles;
if (!deployingRole) throw new Error('it has no role');
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

describe('the roles that go on with a deployment', () => {
  const of = (name: string, state: ServiceState, ...parents: string[]) => ({ ...deployingRole, name, state, parents });
  const roles = [
    of('net', 'RUNNING'),
    of('db', 'FAILED_DEPLOYING', 'net'),
    of('log', 'FAILED_DEPLOYING'),
    of('web', 'PENDING', 'db', 'log'),
    of('proxy', 'PENDING', 'web'),
    of('cache', 'HOLD'),
    of('mail', 'PENDING', 'cache'),
    of('queue', 'HOLD'),
    of('job', 'PENDING', 'queue', 'cache', 'db'),
    of('tool', 'SCALING', 'net'),
  ];
  const service = { roles, body: { deployment: 'straight' as const } };

  it('are those that failed and those that wait behind them, but for what is on hold and waits behind that', () => {
    expect(rolesToRecover(service)).toEqual(['db', 'log', 'web', 'proxy']);
  });

  it('are the one that is named, what waits behind it, and what that waits for besides', () => {
    expect(rolesToRecover(service, 'db')).toEqual(['db', 'log', 'web', 'proxy']);
    expect(rolesToRecover({ ...service, body: { deployment: 'none' } }, 'db')).toEqual(['db']);
    expect(rolesToRecover(service, 'net')).toEqual([]);
    expect(rolesToRecover(service, 'mail')).toEqual([]);
  });

  it('are, of a release, what is on hold, and of what waits behind it that which waits for nothing else on hold', () => {
    expect(rolesToRelease(service, 'cache')).toEqual({ held: ['cache'], takes: ['cache', 'mail'] });
    expect(rolesToRelease(service, 'queue')).toEqual({ held: ['queue'], takes: ['queue'] });
    // `job` waits for `db`, too, and that has to be had with it.
    expect(rolesToRelease(service).takes).toEqual(['db', 'log', 'web', 'proxy', 'cache', 'mail', 'queue', 'job']);
    expect(rolesToRelease(service, 'net')).toEqual({ held: [], takes: [] });
  });
});

describe('a release', () => {
  it('is refused while somebody has a role that it needs besides, whom it names', () => {
    const held = { name: 'cache', state: 'HOLD', work: null } as const;
    const db = {
      name: 'db',
      state: 'DEPLOYING',
      work: { op: 'one', kind: 'deployService', state: 'running' },
    } as const;
    const service = { type: 'service', id: 1, state: 'DEPLOYING', work: null, going: null, roles: [held, db] } as const;
    expect(mayRelease(service, { roles: ['cache'] })).toBe('may');
    expect(mayRelease(service, { roles: ['cache', 'db'] })).toMatchObject({
      ...{ code: 'operation_in_progress', operation: 'one' },
      detail: expect.stringContaining('Operation one (deployService) is at work on role db of service 1'),
    });
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
