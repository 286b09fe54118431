import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  beyond,
  jsonBytes,
  measureHostAttributes,
  measureServiceTemplate,
  measureUserTemplate,
  measureVmTemplate,
} from '../../domain/bounds.js';
import { tiesBytes } from '../../domain/services/measure-ties.js';
import { tiesIn } from '../../domain/services/role-placement.js';
import { vmContents } from '../../domain/vms/vm-contents.js';
import { limits } from '../../schemas/common/limits.js';
import { ServiceTemplateBody } from '../../schemas/services/service-template.js';

const template = (bytes: number) => {
  const rest = { CPU: 1, MEMORY: 64, NOTE: '' };
  return { ...rest, NOTE: 'x'.repeat(bytes - jsonBytes(rest)) };
};
const found = (value: object) => beyond(measureVmTemplate(value, '/template'));
const service = (roles: object[], body: object = {}) =>
  beyond(measureServiceTemplate(ServiceTemplateBody.parse({ name: 'shop', roles, ...body })));
const role = (name: string, more: object = {}) => ({ name, vm_template: 0, ...more });
const many = (count: number) => Array.from({ length: count }, (_, at) => at);

describe('bounds', () => {
  it('count bytes of UTF-8, whatever the value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(jsonBytes(value)).toBe(Buffer.byteLength(JSON.stringify(value)));
      }),
    );
    expect(jsonBytes('ü')).toBe(4);
  });

  it('let a VM template have what it may have, and not a byte more', () => {
    expect(found(template(limits.vmTemplate.most))).toEqual([]);
    expect(found(template(limits.vmTemplate.most + 1))).toEqual([
      { pointer: '/template', detail: 'would have 65,537 bytes as JSON; at most 64 KiB are possible' },
    ]);
  });

  it('count names at every level and items of lists, how deep they lie, and the longest name', () => {
    const flat = (count: number) => Object.fromEntries(many(count).map((at) => [`A${at}`, 1]));
    expect(found(flat(2_000))).toEqual([]);
    expect(found({ ...flat(1_000), NIC: many(1_000) })).toEqual([
      { pointer: '/template', detail: 'would have 2,001 attributes; at most 2,000 are possible' },
    ]);
    const deep = (levels: number): unknown => (levels === 0 ? 1 : { A: deep(levels - 1) });
    expect(beyond(measureVmTemplate(deep(16), ''))).toEqual([]);
    expect(beyond(measureUserTemplate(deep(17), ''))).toEqual([
      { pointer: '', detail: 'would have 17 levels; at most 16 are possible' },
    ]);
    expect(found({ X: { ['N'.repeat(129)]: 1 } })).toEqual([
      { pointer: '/template', detail: 'would have a name of 129 characters; at most 128 are possible' },
    ]);
  });

  it('let be what was beyond before, as long as it does not grow', () => {
    const edited = (before: number, after: number) =>
      beyond(measureVmTemplate(template(after), ''), measureVmTemplate(template(before), '')).length;
    fc.assert(
      fc.property(fc.integer({ min: 60_000, max: 80_000 }), fc.integer({ min: 60_000, max: 80_000 }), (from, to) => {
        expect(edited(from, to)).toBe(to > limits.vmTemplate.most && to > from ? 1 : 0);
      }),
    );
  });

  it('hold for what a role adds to a VM template, and for what APPEND does', () => {
    const half = 40_000;
    const made = (contents: string) => () => vmContents(template(half), { contents });
    expect(made(`OTHER="${'y'.repeat(20_000)}"`)).not.toThrow();
    for (const contents of [`OTHER="${'y'.repeat(half)}"`, `APPEND=NOTE\nNOTE="${'y'.repeat(half)}"`])
      expect(made(contents)).toThrow(
        expect.objectContaining({ code: 'invalid_request', findings: [expect.anything()] }),
      );
  });

  it('of hosts and clusters count all attributes together', () => {
    const attributes = Object.fromEntries(many(70).map((at) => [`A${at}`, 'x'.repeat(1_000)]));
    expect(beyond(measureHostAttributes(attributes, '/attributes'))).toMatchObject([{ pointer: '/attributes' }]);
  });

  it.each([
    [
      'VMs',
      [role('a', { cardinality: 9_999 }), role('b', { cardinality: 2 })],
      {},
      '/roles',
      /^would have 10,001 VMs; at most 10,000 /,
    ],
    [
      'bytes',
      [role('a', { vm_template_contents: 'x'.repeat(524_288) })],
      {},
      '',
      /^would have 524,\d+ bytes as JSON; at most 512 KiB /,
    ],
    [
      'parents of one role',
      [role('a'), role('b', { parents: many(1_001).map(() => 'a') })],
      {},
      '/roles/1/parents',
      /1,001 parents/,
    ],
    [
      'affinities of all roles',
      many(6).map((at) => role(`r${at}`, { placement: { affinity: many(1_000).map(() => 'r0') } })),
      {},
      '/roles',
      /6,000 roles; at most 5,000/,
    ],
    [
      'names that VMs carry',
      many(1_000).map((at) =>
        role(`${'r'.repeat(90)}${at}`, { cardinality: 10, placement: { affinity: [`${'r'.repeat(90)}0`] } }),
      ),
      {},
      '/roles',
      /would have 95\d,\d+,\d+ bytes as JSON; at most 32 MiB/,
    ],
    [
      'policies of one role',
      [role('a', { scheduled_policies: many(51).map(() => ({ type: 'CHANGE', adjust: 1, start_time: 'x' })) })],
      {},
      '/roles/0/scheduled_policies',
      /51 policies/,
    ],
    [
      'a recurrence',
      [
        role('a', {
          scheduled_policies: ['* * * * *', '1'.repeat(257)].map((recurrence) => ({
            type: 'CHANGE',
            adjust: 1,
            recurrence,
          })),
        }),
      ],
      {},
      '/roles/0/scheduled_policies',
      /257 characters; at most 256/,
    ],
    [
      'custom values',
      [role('a')],
      { custom_attrs: Object.fromEntries(many(1_001).map((at) => [`A${at}`, ''])) },
      '/custom_attrs',
      /1,001 values/,
    ],
  ] as const)('of a service template hold for %s', (_what, roles, body, pointer, detail) => {
    expect(service([...roles], body)).toEqual([{ pointer, detail: expect.stringMatching(detail) }]);
  });

  it('count what VMs carry of their service’s rules as it will be', () => {
    const names = ['a', 'bb', 'ccc', 'dddd', 'eeeee'];
    const some = fc.subarray(names, { maxLength: 2 });
    const roles = fc.tuple(
      ...names.map((name) => fc.record({ name: fc.constant(name), affinity: some, anti_affinity: some })),
    );
    fc.assert(
      fc.property(roles, (made) => {
        const body = ServiceTemplateBody.parse({
          name: 'shop',
          roles: made.map(({ name, ...placement }, at) => role(name, { cardinality: at + 1, placement })),
        });
        const carried = body.roles.map(({ name, cardinality }) => {
          const ties = tiesIn(body.roles)(name);
          return (
            cardinality *
            [...(ties?.together ?? []), ...(ties?.apart ?? [])].reduce((sum, { length }) => sum + length + 3, 0)
          );
        });
        expect(tiesBytes(body.roles)).toBe(carried.reduce((sum, bytes) => sum + bytes, 0));
      }),
    );
  });

  it('let the largest service that is not too large be', () => {
    expect(
      service(many(1_000).map((at) => role(`role${at}`, { cardinality: 10, parents: at > 0 ? ['role0'] : [] }))),
    ).toEqual([]);
  });
});
