import { describe, expect, it } from 'vitest';
import { ServiceTemplateBody } from '../../../schemas/services/service-template.js';
import { myServiceText } from '../../domain/services/my-service.js';

type Json = Record<string, unknown>;
const withRole = (more: Json) => ({ name: 'shop', roles: [{ name: 'web', vm_template: 0, ...more }] });
const firstRole = (more: Json) => ServiceTemplateBody.parse(withRole(more)).roles[0];
const issuesOf = (body: unknown) =>
  (ServiceTemplateBody.safeParse(body).error?.issues ?? []).map(({ path, message }) => `${path.join('/')} ${message}`);

describe('a service template', () => {
  it('loads the guide’s my_service unchanged but for defaults', () => {
    const given = JSON.parse(myServiceText);
    const loaded = ServiceTemplateBody.parse(given);
    expect(loaded).toMatchObject(given);
    expect(loaded.roles.map(({ cardinality, parents }) => [cardinality, parents])).toEqual([
      [1, []],
      [1, ['frontend']],
      [3, ['frontend']],
      [10, ['db_master', 'db_slave']],
    ]);
  });

  it('loads again what it has loaded', () => {
    const loaded = ServiceTemplateBody.parse(withRole({ cardinality: '0x10', extra: { deep: null } }));
    expect(ServiceTemplateBody.parse(loaded)).toEqual(loaded);
  });

  it('keeps unknown attributes at every level', () => {
    const policy = { type: 'CHANGE', adjust: 1, expression: 'A > 1', note: null };
    const body = { ...withRole({ elasticity_policies: [policy], colour: false }), labels: ['a'] };
    expect(ServiceTemplateBody.parse(body)).toMatchObject(body);
  });

  it.each([null, false])('takes %s for absent', (nothing) => {
    const loaded = ServiceTemplateBody.parse({
      ...withRole({ cardinality: nothing, parents: nothing, min_vms: nothing, vm_template_contents: nothing }),
      deployment: nothing,
      shutdown_action: nothing,
      ready_status_gate: nothing,
      custom_attrs: nothing,
    });
    expect(loaded).toMatchObject({ deployment: 'none', ready_status_gate: false });
    expect(loaded.roles[0]).toMatchObject({ cardinality: 1, parents: [] });
    expect(loaded.roles[0]?.min_vms).toBeUndefined();
    expect(issuesOf({ name: nothing, roles: nothing })).toEqual(['name is required', 'roles is required']);
  });

  it.each([
    [10, 10],
    [2.9, 2],
    ['10', 10],
    [' 7 ', 7],
    ['0x1f', 31],
    ['010', 8],
    ['0b101', 5],
    ['1_000', 1000],
    ['-0', 0],
  ])('reads the integer %j as %d', (given, integer) => {
    expect(firstRole({ cardinality: given })?.cardinality).toBe(integer);
  });

  it.each(['ten', '1.5', '', '09', '1__0', true, {}, '99999999999999999999', 1e9, -1, '-1'])(
    'refuses %j as a cardinality',
    (given) => {
      expect(issuesOf(withRole({ cardinality: given }))).toContainEqual(
        expect.stringContaining('roles/0/cardinality must '),
      );
    },
  );

  it.each(['', 'a b', 'a-b', 'a\nb', 'é', '__proto__', 'constructor', 'x'.repeat(129)])(
    'refuses %j as the name of a role',
    (name) => {
      expect(issuesOf(withRole({ name }))).toEqual([expect.stringContaining('roles/0/name ')]);
    },
  );

  it('reports every fault of shape at once', () => {
    const faults = issuesOf({
      name: 5,
      deployment: 'sideways',
      roles: [
        { name: 'a b', cardinality: -1, elasticity_policies: [{ type: 'GUESS', min_adjust_step: 0 }] },
        { vm_template: 'x', parents: 'a', scheduled_policies: {}, shutdown_action: 'kill' },
      ],
    });
    expect(faults.map((fault) => fault.replace(/ .*/, '')).sort()).toEqual([
      'deployment',
      'name',
      'roles/0/cardinality',
      'roles/0/elasticity_policies/0/min_adjust_step',
      'roles/0/elasticity_policies/0/type',
      'roles/0/name',
      'roles/0/vm_template',
      'roles/1/name',
      'roles/1/parents',
      'roles/1/scheduled_policies',
      'roles/1/shutdown_action',
      'roles/1/vm_template',
    ]);
  });
});
