import { describe, expect, it } from 'vitest';
import { firstNames, laterNames, templateIn } from '../../../domain/services/later-names.js';

it('a template is the same after it was shown with the later names and sent back', () => {
  const body = {
    name: 'x',
    custom_attrs: { A: 'M|text|a' },
    custom_attrs_values: { A: 'b' },
    roles: [
      { name: 'web', vm_template: 3, vm_template_contents: 'NIC=[NETWORK_ID="$A"]\nA="\\"1\\\\"\n' },
      // What stands in the place of attributes is no attribute.
      { name: 'db', vm_template: 4, vm_template_contents: '$A\nB="1"\n' },
      { name: 'none', vm_template: 5 },
    ],
  };
  const shown = laterNames(body);
  expect(shown).toMatchObject({
    user_inputs: body.custom_attrs,
    roles: [
      { type: 'vm', template_id: 3, template_contents: { NIC: { NETWORK_ID: '$A' }, A: '"1\\' } },
      { template_id: 4, vm_template_contents: '$A\nB="1"\n' },
      { template_id: 5 },
    ],
  });
  expect(firstNames({ ...shown, registration_time: 1 })).toEqual(body);
});

it.each<[string, unknown, unknown]>([
  [
    'the later name, where both are there',
    { roles: [{ vm_template: 1, template_id: 2 }] },
    { roles: [{ vm_template: 2 }] },
  ],
  ['what is no template as it is', [1], [1]],
  ['roles that are no list as they are', { roles: 7 }, { roles: 7 }],
  ['another type than vm, so that it is refused', { roles: [{ type: 'vr' }, 5] }, { roles: [{ type: 'vr' }, 5] }],
])('takes %s', (_what, sent, taken) => {
  expect(firstNames(sent)).toEqual(taken);
});

describe('what OpenNebula prints of a template', () => {
  const body = { name: 'before', roles: [{ name: 'web', template_id: 3 }] };
  it('is taken by its body, under the name that it has now, with what stands beside it', () => {
    const roles = [{ name: 'web', vm_template: 3 }];
    expect(templateIn({ DOCUMENT: { ID: '6', NAME: 'now', TEMPLATE: { BODY: body } } })).toEqual({
      name: 'now',
      roles,
    });
    expect(templateIn({ DOCUMENT: { NAME: 'now', TEMPLATE: { BODY: body, LABELS: 'web' } } })).toEqual({
      ...{ name: 'now', roles, template_raw: { LABELS: 'web' } },
    });
  });

  it('is nothing else: what is no such document stays as it is', () => {
    for (const other of [null, 'text', [], { DOCUMENT: 1 }, { DOCUMENT: { TEMPLATE: { BODY: '{}' } } }])
      expect(templateIn(other)).toEqual(other);
    expect(templateIn(body)).toEqual({ name: 'before', roles: [{ name: 'web', vm_template: 3 }] });
  });
});
