import { describe, expect, it } from 'vitest';
import { replacedPolicies, replacedSchedules } from '../../../domain/scaling/change-policies.js';
import type { Role } from '../../../schemas/services/service.js';
import { ElasticityPolicy, ScheduledPolicy } from '../../../schemas/services/service-template.js';
import { deployingService } from '../../support/deploying-service.js';

const rule = (expression: string, over: object = {}) =>
  ElasticityPolicy.parse({ expression, type: 'CHANGE', adjust: 1, ...over });
const nightly = (hour: number, over: object = {}) =>
  ScheduledPolicy.parse({ recurrence: `0 ${hour} * * *`, type: 'CARDINALITY', adjust: 1, ...over });
const until = '2999-01-01T00:00:00Z';

const service = deployingService(1, '');
const roleWith = (over: Partial<Role>): Role => {
  const [role] = service.roles;
  if (!role) throw new Error('there is no role');
  return { ...role, min_vms: 0, max_vms: 5, ...over };
};

describe('a policy that is paused', () => {
  const before = [rule('A > 1', { enabled: false }), rule('B > 1', { paused_until: until }), rule('C > 1')];
  it.each([
    [
      'stays so when others are changed, wherever it stands then',
      [rule('D > 1'), rule('B > 1'), rule('A > 1')],
      [undefined, until, false],
    ],
    ['stays so when it adds other VMs', [rule('A > 1', { adjust: 3 })], [false]],
    ['is another one with another expression', [rule('A > 2')], [undefined]],
    ['is resumed by saying so', [rule('A > 1', { enabled: true }), rule('B > 1', { enabled: true })], [true, true]],
    ['is paused once, where it stands twice', [rule('A > 1'), rule('A > 1')], [false, undefined]],
  ])('%s', (_, elasticity_policies, expected) => {
    const after = replacedPolicies(service, roleWith({ elasticity_policies: before }), { elasticity_policies });
    const left = 'elasticity_policies' in after ? after.elasticity_policies : undefined;
    expect(left?.map(({ enabled, paused_until }) => paused_until ?? enabled)).toEqual(expected);
  });

  it('stays so, too, when it is scheduled', () => {
    const role = roleWith({
      scheduled_policies: [nightly(1, { enabled: false }), nightly(2, { paused_until: until })],
    });
    const scheduled_policies = [nightly(2), nightly(1), nightly(3)];
    expect(replacedSchedules(service, role, { scheduled_policies })).toMatchObject({
      scheduled_policies: [{ paused_until: until }, { enabled: false }, nightly(3)],
    });
  });
});
