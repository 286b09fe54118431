import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Problem } from '../../../domain/problems.js';
import { mergeServiceTemplate } from '../../../domain/services/service-template.js';
import { parseTemplateText } from '../../../domain/template-text.js';
import { ServiceTemplateBody } from '../../../schemas/services/service-template.js';
import { checkServiceTemplate } from './check-service-template.js';
import { myServiceText } from './my-service.js';

type Json = Record<string, unknown>;
const role = (name: string, more: Json = {}): Json => ({ name, vm_template: 0, ...more });
const findings = (...roles: Json[]) => checkServiceTemplate(ServiceTemplateBody.parse({ name: 'shop', roles }));
const policy = { type: 'CHANGE', adjust: 1 };

describe('the check of a service template', () => {
  it('finds nothing wrong with the guide’s my_service', () => {
    expect(checkServiceTemplate(ServiceTemplateBody.parse(JSON.parse(myServiceText)))).toEqual([]);
  });

  it('finds nothing wrong with a service without roles', () => {
    expect(findings()).toEqual([]);
  });

  it('names a role name that is used twice', () => {
    expect(findings(role('a'), role('b'), role('a'))).toEqual([
      { pointer: '/roles/2/name', detail: 'the role name "a" is used twice' },
    ]);
  });

  it('names unknown parents, with the role that was meant where one is close', () => {
    expect(findings(role('frontend'), role('worker', { parents: ['fronted', 'database'] }))).toEqual([
      { pointer: '/roles/1/parents/0', detail: 'no role is called "fronted"; did you mean "frontend"?' },
      { pointer: '/roles/1/parents/1', detail: 'no role is called "database"' },
    ]);
  });

  it('names every circle', () => {
    const roles = [
      role('top'),
      role('a', { parents: ['b', 'top'] }),
      role('b', { parents: ['a'] }),
      role('self', { parents: ['self'] }),
    ];
    expect(findings(...roles)).toEqual([
      {
        pointer: '/roles/1/parents',
        detail: 'the roles wait for each other in a circle: a waits for b, b waits for a',
      },
      { pointer: '/roles/3/parents', detail: 'the roles wait for each other in a circle: self waits for self' },
    ]);
  });

  it.each([
    ['below min_vms', { cardinality: 1, min_vms: 2 }, '/roles/0/cardinality', 'is 1, below min_vms 2'],
    ['above max_vms', { cardinality: 5, max_vms: 4 }, '/roles/0/cardinality', 'is 5, above max_vms 4'],
    ['of its default below min_vms', { min_vms: 2 }, '/roles/0/cardinality', 'is 1, below min_vms 2'],
  ])('refuses a cardinality %s', (_, sizes, pointer, detail) => {
    expect(findings(role('a', sizes))).toEqual([{ pointer, detail }]);
  });

  it('wants min_vms and max_vms of a role with policies', () => {
    const scheduled = [{ ...policy, recurrence: '0 9 * * mon,fri' }];
    expect(findings(role('a', { scheduled_policies: scheduled, min_vms: 0 }))).toEqual([
      { pointer: '/roles/0/max_vms', detail: 'is required for a role with policies' },
    ]);
    expect(findings(role('a', { elasticity_policies: [], scheduled_policies: [] }))).toEqual([]);
  });

  it('wants an expression of an elasticity policy', () => {
    const elasticity_policies = [
      { ...policy, expression: 'CPU > 1' },
      { ...policy, expression: ' ' },
    ];
    expect(findings(role('a', { elasticity_policies, min_vms: 1, max_vms: 2 }))).toEqual([
      { pointer: '/roles/0/elasticity_policies/1/expression', detail: 'must not be empty' },
    ]);
  });

  it('wants exactly one of start_time and recurrence', () => {
    const scheduled_policies = [
      { ...policy, start_time: '2nd oct 2017 15:45' },
      policy,
      { ...policy, start_time: '2017-10-02 15:45:00', recurrence: '0 0 * * *' },
      { ...policy, recurrence: 'every day' },
    ];
    expect(findings(role('a', { scheduled_policies, min_vms: 1, max_vms: 2 }))).toEqual([
      { pointer: '/roles/0/scheduled_policies/1', detail: 'needs start_time or recurrence' },
      {
        pointer: '/roles/0/scheduled_policies/2',
        detail: 'has both start_time and recurrence; give one of them',
      },
      {
        pointer: '/roles/0/scheduled_policies/3/recurrence',
        detail: 'is not a cron expression: has 2 fields instead of 5: minute, hour, day, month, weekday',
      },
    ]);
  });

  it('wants an adjustment or an action of a scheduled policy, and not both; an action wants no limits', () => {
    const recurrence = '0 3 * * sun';
    const scheduled_policies = [
      { action: 'recreate', number: 1, period: 60, recurrence },
      { recurrence },
      { ...policy, action: 'resume', recurrence },
    ];
    expect(findings(role('a', { scheduled_policies: scheduled_policies.slice(0, 1) }))).toEqual([]);
    expect(findings(role('a', { scheduled_policies, min_vms: 1, max_vms: 2 }))).toEqual([
      { pointer: '/roles/0/scheduled_policies/1/type', detail: 'is required, unless there is an action' },
      { pointer: '/roles/0/scheduled_policies/1/adjust', detail: 'is required, unless there is an action' },
      ...['type', 'adjust'].map((member) => ({
        pointer: `/roles/0/scheduled_policies/2/${member}`,
        detail: 'does not go with an action, which leaves the cardinality as it is',
      })),
    ]);
  });

  it('answers for a template of a thousand roles that is wrong all over', () => {
    const name = (at: number) => `${'x'.repeat(50)}${at}`;
    const all = findings(
      ...Array.from({ length: 1000 }, (_, at) => role(name(at), { parents: [name(at), `${name(at)}_`] })),
    );
    expect(all.filter(({ detail }) => detail.includes('did you mean'))).toHaveLength(10);
    expect(all.filter(({ detail }) => detail.includes('circle'))).toHaveLength(20);
    expect(all).toHaveLength(1020);
  });

  it('does not look for more faults than are told', () => {
    const wrong = { vm_template: 'x', cardinality: 'x', min_vms: 'x', max_vms: 'x', cooldown: 'x', parents: [0, 0] };
    const faultsOf = (roles: unknown[]) => ServiceTemplateBody.safeParse({ name: 'shop', roles }).error?.issues ?? [];
    const right = Array.from({ length: 500 }, (_, at) => role(`r${at}`));
    const all = faultsOf([...right, ...Array.from({ length: 500 }, () => wrong)]);
    expect(all.length).toBeGreaterThanOrEqual(100);
    expect(all.length).toBeLessThan(110);
    expect(all[0]?.path.slice(0, 2)).toEqual(['roles', 500]);
    const many = faultsOf(Array.from({ length: 4_000 }, (_, at) => role(`r${at}`)));
    expect(many.map(({ path, message }) => [path, message])).toEqual([[['roles'], 'must be at most 1000']]);
  });

  it('says where vm_template_contents cannot be read', () => {
    expect(findings(role('a', { vm_template_contents: 'CPU=2\nDISK=[SIZE 3]' }))).toEqual([
      { pointer: '/roles/0/vm_template_contents', detail: 'line 2, column 11: expected = after SIZE' },
    ]);
  });

  it('finds everything at once', () => {
    const all = findings(
      role('a', { parents: ['a', 'nobody'], min_vms: 3 }),
      role('a', { vm_template_contents: '=', elasticity_policies: [{ ...policy, expression: '' }] }),
    );
    expect(all.map(({ pointer }) => pointer).sort()).toEqual([
      '/roles/0/cardinality',
      '/roles/0/parents',
      '/roles/0/parents/1',
      '/roles/1/elasticity_policies/0/expression',
      '/roles/1/max_vms',
      '/roles/1/min_vms',
      '/roles/1/name',
      '/roles/1/vm_template_contents',
    ]);
  });
});

describe('the merge at instantiation', () => {
  const body = { name: 'shop', custom_attrs: { priv: 'M|vnet_id|network', size: 'O|text|disk' }, roles: [role('a')] };
  const contents = (merged: Json) =>
    Array.isArray(merged.roles) ? merged.roles.map((one: Json) => one.vm_template_contents) : merged.roles;

  it('replaces attributes of the top level whole', () => {
    const merged = mergeServiceTemplate({ ...body, labels: { a: 1 } }, { name: 'other', labels: { b: 2 }, roles: [] });
    expect(merged).toEqual({ ...body, name: 'other', labels: { b: 2 }, roles: [] });
  });

  it('changes neither the template nor a template without contents', () => {
    const before = structuredClone(body);
    expect(mergeServiceTemplate(body)).toEqual(before);
    mergeServiceTemplate(body, {
      custom_attrs_values: { priv: 1 },
      roles: [role('a', { user_inputs_values: { A: 1 } })],
    });
    expect(body).toEqual(before);
  });

  it('puts values in the place of $NAME and leaves other dollars alone', () => {
    const roles = [role('a', { vm_template_contents: 'NIC=[NETWORK_ID="$priv"]\nX=$unknown\nY="$$size $privy"' })];
    const merged = mergeServiceTemplate({ ...body, roles }, { custom_attrs_values: { priv: 7, size: '$&' } });
    expect(contents(merged)).toEqual(['NIC=[NETWORK_ID="7"]\nX="$unknown"\nY="$$& $privy"\n']);
  });

  it('names every promised value that is missing, once a role', () => {
    const roles = [
      role('a', { vm_template_contents: 'A=$priv\nB=$priv\nC=$size' }),
      role('b', { vm_template_contents: 'A="$priv $toString $constructor"' }),
    ];
    const merge = () => mergeServiceTemplate({ ...body, roles }, { custom_attrs_values: { size: 10 } });
    expect(merge).toThrow(Problem);
    try {
      merge();
    } catch (error) {
      expect(error).toMatchObject({
        code: 'invalid_request',
        findings: ['a', 'b'].map((name) => ({
          pointer: '/merge_template/custom_attrs_values/priv',
          detail: `is required: $priv stands in vm_template_contents of role ${name}`,
        })),
      });
    }
  });

  it('adds user inputs behind the contents, quoted', () => {
    const roles = [
      role('a', { vm_template_contents: 'CPU=1', user_inputs_values: { MOTTO: 'say "hi"', N: 3 } }),
      role('b', { user_inputs_values: { A: '1' } }),
      role('c', { vm_template_contents: 'CPU=1\n', user_inputs_values: {} }),
    ];
    const [a, b, c] = contents(mergeServiceTemplate({ ...body, roles })) as string[];
    expect(a).toBe('CPU=1\nMOTTO="say \\"hi\\""\nN="3"\n');
    expect(b).toBe('A="1"\n');
    expect(c).toBe('CPU=1\n');
    expect(parseTemplateText(a ?? '')).toEqual({ ok: true, value: { CPU: '1', MOTTO: 'say "hi"', N: '3' } });
  });

  it('passes on whatever it is given for the schema to judge', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.constantFrom('roles', 'custom_attrs', 'custom_attrs_values', 'name'), fc.jsonValue()),
        (merge) => {
          expect(mergeServiceTemplate(body, merge)).toHaveProperty('name', 'name' in merge ? merge.name : body.name);
        },
      ),
    );
    expect(ServiceTemplateBody.safeParse(mergeServiceTemplate(body, { roles: [5, null, role('x')] })).success).toBe(
      false,
    );
  });
});
