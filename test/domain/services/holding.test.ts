import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { areDeployed, heldBack, stateByRoles } from '../../../domain/services/holding.js';
import { stateOfRoles } from '../../../domain/services/service-states.js';
import type { ServiceState } from '../../../schemas/services/service.js';

const role = (name: string, state: ServiceState, ...parents: string[]) => ({ name, state, parents });

describe('what is held back', () => {
  const roles = [
    role('db', 'HOLD'),
    role('web', 'PENDING', 'db', 'cache'),
    role('proxy', 'PENDING', 'web'),
    role('cache', 'RUNNING'),
    role('mail', 'PENDING', 'cache'),
  ];

  it('is what is on hold, and what waits behind it, whatever else that waits for', () => {
    expect([...heldBack(roles, 'straight')].sort()).toEqual(['db', 'proxy', 'web']);
    expect([...heldBack(roles, 'none')]).toEqual(['db']);
  });

  it('does not keep a service from being deployed; a role that waits for nothing on hold does', () => {
    expect(areDeployed(roles, 'straight')).toBe(false);
    expect(areDeployed(roles.slice(0, 4), 'straight')).toBe(true);
    expect(areDeployed(roles.slice(0, 4), 'none')).toBe(false);
  });

  it('is nothing where nothing is on hold, and never a role that has been begun', () => {
    const states = fc.constantFrom<ServiceState>('HOLD', 'PENDING', 'RUNNING', 'FAILED_DEPLOYING', 'COOLDOWN');
    const some = fc
      .array(fc.tuple(states, fc.array(fc.nat(9), { maxLength: 3 })), { maxLength: 10 })
      .map((all) => all.map(([state, parents], at) => role(`r${at}`, state, ...parents.map((one) => `r${one}`))));
    fc.assert(
      fc.property(some, (all) => {
        const back = heldBack(all, 'straight');
        if (!all.some(({ state }) => state === 'HOLD')) expect(back.size).toBe(0);
        for (const { name, state } of all) {
          if (state === 'HOLD') expect(back.has(name)).toBe(true);
          else if (state !== 'PENDING') expect(back.has(name)).toBe(false);
        }
      }),
    );
  });
});

describe('a service with a role on hold', () => {
  it.each([
    [['HOLD', 'HOLD'], 'HOLD'],
    [['HOLD', 'PENDING', 'RUNNING'], 'HOLD'],
    [['HOLD', 'COOLDOWN'], 'HOLD'],
    [['HOLD', 'WARNING'], 'WARNING'],
    [['HOLD', 'SCALING'], 'SCALING'],
    [['PENDING', 'RUNNING'], 'WARNING'],
  ] as const)('with roles in %s is %s', (states, is) => {
    expect(stateOfRoles(states.map((state) => ({ state })))).toBe(is);
  });
});

describe('a service of which operations have roles alone', () => {
  const at = (state: ServiceState, operation: string | null = null) => ({ ...role(state, state), operation });

  it.each([
    ['FAILED_DEPLOYING', [at('FAILED_DEPLOYING'), at('RUNNING')], 'FAILED_DEPLOYING'],
    ['FAILED_DEPLOYING', [at('FAILED_DEPLOYING', 'recovery'), at('SCALING', 'scaling')], 'DEPLOYING'],
    ['DEPLOYING', [at('DEPLOYING', 'recovery'), at('SCALING', 'scaling')], 'DEPLOYING'],
    ['DEPLOYING', [at('PENDING', 'recovery'), at('HOLD')], 'DEPLOYING'],
    ['DEPLOYING', [at('PENDING'), at('RUNNING')], 'FAILED_DEPLOYING'],
    ['DEPLOYING', [at('RUNNING', 'recovery'), at('FAILED_SCALING')], 'FAILED_SCALING'],
    ['FAILED_DEPLOYING', [at('RUNNING'), at('HOLD')], 'HOLD'],
    // A repair deploys again what was deployed.
    ['WARNING', [at('DEPLOYING', 'repair'), at('RUNNING')], 'WARNING'],
  ] as const)('and which was %s is, by %j, %s', (state, roles, is) => {
    expect(stateByRoles(state, roles, 'none')).toBe(is);
  });
});
