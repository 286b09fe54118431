import { describe, expect, it } from 'vitest';
import { policyWarnings, wrongPolicies } from '../../../domain/services/elasticity-policies.js';
import { ElasticityPolicy, ServiceTemplateBody } from '../../../schemas/services/service-template.js';

const change = { type: 'CHANGE', adjust: 1 };
const wrong = (policy: Record<string, unknown>) =>
  wrongPolicies([ElasticityPolicy.parse(policy)], '/p').map(({ pointer, detail }) => `${pointer} ${detail}`);

describe('an elasticity policy', () => {
  it.each([
    [{ ...change, expression: 'ATT > 50' }],
    [{ target: 'CPU = 60', cooldown: 30, stabilization: 300, warm_up: 60, max_adjust_step: 4, enabled: false }],
    [{ ...change, expression: 'max(CPU) > 90', paused_until: '2026-12-01T00:00:00+01:00', enabled: null }],
  ])('%j is taken', (policy) => {
    expect(wrong(policy)).toEqual([]);
  });

  it.each([
    [{}, ['type', 'adjust', 'expression'].map((member) => `/p/0/${member} is required, unless there is a target`)],
    [{ ...change, expression: ' ' }, ['/p/0/expression must not be empty']],
    [
      { ...change, expression: 'ATT >\n 5 AND 3' },
      ['/p/0/expression line 2, column 4: expected &, | or the end, but found AND'],
    ],
    [
      { ...change, target: 'CPU = 60' },
      ['type', 'adjust'].map((member) => `/p/0/${member} does not go with a target, which says how many VMs it takes`),
    ],
    [{ target: 'sum(CPU) = 6' }, [expect.stringContaining('/p/0/target line 1, column 1: sum(CPU) does not change')]],
  ])('%j is refused', (policy, findings) => {
    expect(wrong(policy)).toEqual(findings);
  });

  it('keeps false for what it is: paused', () => {
    expect(ElasticityPolicy.parse({ target: 'CPU = 60', enabled: false }).enabled).toBe(false);
  });
});

describe('a warning', () => {
  it('shows both readings of what OneFlow would read otherwise', () => {
    const elasticity_policies = ['A > 1', 'A=0 && B=1 || C=1'].map((expression) => ({ ...change, expression }));
    const role = { name: 'web', vm_template: 0, min_vms: 1, max_vms: 5, elasticity_policies };
    expect(policyWarnings(ServiceTemplateBody.parse({ name: 'shop', roles: [role] }))).toEqual([
      'Policy 1 of role web is read here as (A = 0 & B = 1) | C = 1, for ! binds tighter than &, and that tighter than |. OneFlow would read it as A = 0 & (B = 1 | C = 1). Brackets make it the same for both.',
    ]);
  });
});
