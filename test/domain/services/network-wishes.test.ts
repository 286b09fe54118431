import { describe, expect, it } from 'vitest';
import { networkFindings, networkWishes, withNetworks } from '../../../domain/services/network-wishes.js';
import { mergeServiceTemplate } from '../../../domain/services/service-template.js';
import { templateForm } from '../../../domain/services/template-form.js';
import { ServiceTemplateBody } from '../../../schemas/services/service-template.js';

const roles = [{ name: 'web', vm_template: 0, vm_template_contents: 'NIC=[NETWORK_ID="$Public"]\n' }];
const template = (more: object = {}) => ({
  name: 'shop',
  roles,
  networks: { Public: 'M|network|Public addresses| |id:' },
  ...more,
});
const under = '/merge_template/networks_values/0/Public';
const valued = (value: unknown) => networkWishes(template({ networks_values: [{ Public: value }] }));

describe('what the networks of a service are to be', () => {
  it.each<[unknown, object]>([
    [{ id: '7' }, { id: 7 }],
    [{ id: 7 }, { id: 7 }],
    [
      { reserve_from: '2', extra: 'SIZE=3' },
      { from: 2, size: 3 },
    ],
    [
      { reserve_from: 2, extra: 'SIZE=3\nAR_ID = "1"' },
      { from: 2, size: 3, ar_id: 1 },
    ],
    [{ template_id: '4' }, { template: 4 }],
    [
      { template_id: 4, extra: 'AR=[TYPE="IP4",IP="10.0.0.1",SIZE="8"]' },
      { template: 4, address_ranges: [{ type: 'IP4', ip: '10.0.0.1', size: 8 }] },
    ],
  ])('is what OneFlow’s clients say of them: %j', (value, wish) => {
    expect(valued(value)).toEqual({ wishes: [{ name: 'Public', pointer: under, wish }], findings: [] });
  });

  it.each<[unknown, RegExp]>([
    ['7', /^must be the id of a network/],
    [{ id: 'x' }, /^must be the id of a network/],
    [{ id: '7', reserve_from: '2' }, /^must be the id of a network/],
    [{ id: '7', extra: 'SIZE=3' }, /^must be the id of a network/],
    [{ id: '7', size: 3 }, /size is not known$/],
    [{ template_id: '1', extra: 'AR=[TYPE=IP4,IP=nowhere,SIZE=2]' }, /^extra: AR /],
    [{ template_id: '1', extra: 'VN_MAD="vxlan"' }, /^extra has VN_MAD; it may say AR/],
    [{ template_id: '1', id: '1' }, /^must be the id of a network, a template/],
    [{ reserve_from: '2' }, /how many addresses are reserved, 1 to 4096/],
    [{ reserve_from: '2', extra: 'SIZE=0' }, /how many addresses/],
    [{ reserve_from: '2', extra: 'SIZE=99999' }, /how many addresses/],
    [{ reserve_from: '2', extra: 'SIZE=3 NAME=x' }, /^extra has NAME/],
    [{ reserve_from: '2', extra: 'SIZE=3\nAR_ID=x' }, /must name a range by its number/],
    [{ reserve_from: '2', extra: 'SIZE=[' }, /^extra cannot be read/],
  ])('is refused where it says something else: %j', (value, detail) => {
    expect(valued(value)).toEqual({
      wishes: [],
      findings: [{ pointer: under, detail: expect.stringMatching(detail) }],
    });
  });

  it('is refused by name where it is missing, and where the template asks for no such network', () => {
    expect(networkWishes(template(), { Pubic: { network_id: 0 } }).findings).toEqual([
      { pointer: '/networks/Pubic', detail: 'the template asks for no network Pubic; did you mean Public?' },
      { pointer: '/networks/Public', detail: 'is required: Public addresses' },
    ]);
    expect(networkWishes(template({ networks_values: 'x' })).findings).toContainEqual({
      ...{ pointer: '/merge_template/networks_values', detail: expect.stringContaining('must be a list') },
    });
    expect(networkWishes(template({ networks: { Public: 'O|network|Any' } })).findings).toEqual([]);
  });

  it('is its default, or rather what was said beside the template', () => {
    const networks = { Public: 'M|network|Any| |reserve_from:4:SIZE=2', Other: 'O|network| | |id:5' };
    expect(networkWishes(template({ networks }), { Other: { network_id: 6 } }).wishes).toEqual([
      { name: 'Public', pointer: '/merge_template/networks/Public', wish: { from: 4, size: 2 } },
      { name: 'Other', pointer: '/networks/Other', wish: { id: 6 } },
    ]);
  });

  it('is also what a custom attribute of the type network says, as in 5.0', () => {
    const custom = { networks: undefined, custom_attrs: { Public: 'M|network|Any' } };
    const given = template({ ...custom, custom_attrs_values: { Public: '7' } });
    const pointer = '/merge_template/custom_attrs_values/Public';
    expect(networkWishes(given)).toEqual({ wishes: [{ name: 'Public', pointer, wish: { id: 7 } }], findings: [] });
    expect(networkWishes(template({ ...custom, custom_attrs_values: { Public: 'office' } })).findings).toEqual([
      { pointer, detail: expect.stringContaining('7, id:7, template_id:7 or reserve_from:7:SIZE=10') },
    ]);
    expect(networkWishes(template(custom), { Public: { reserve_from: 1, size: 2, ar_id: 0 } }).wishes).toMatchObject([
      { wish: { from: 1, size: 2, ar_id: 0 } },
    ]);
  });

  it('is bounded together', () => {
    const networks = { A: 'M|network', B: 'M|network' };
    const half = { reserve_from: 0, size: 2_049 };
    expect(networkWishes(template({ networks }), { A: half, B: half }).findings).toEqual([
      { pointer: '/networks', detail: 'reserve 4,098 addresses together; at most 4,096 are possible' },
    ]);
  });
});

it('puts ids where roles name their networks, and says them as OneFlow does', () => {
  const given = template({ networks: { Public: 'M|network', Own: 'M|network' }, custom_attrs: { Old: 'M|network' } });
  const merged = withNetworks(given, [
    { name: 'Public', id: 7 },
    { name: 'Own', id: 9, reserved: { from: 2, size: 3, ar_id: 1, made: false } },
    { name: 'Old', id: 8 },
  ]);
  expect(merged).toMatchObject({
    networks_values: [{ Public: { id: '7' } }, { Own: { id: '9', reserve_from: '2', extra: 'SIZE=3\nAR_ID=1' } }],
    custom_attrs_values: { Old: '8' },
  });
  const filled = mergeServiceTemplate(merged);
  expect(filled.roles).toMatchObject([{ vm_template_contents: 'NIC=[NETWORK_ID="7"]\n' }]);
  expect(() => mergeServiceTemplate(template())).toThrow('cannot be put into the roles');
});

it('tells what is wrong with what a template asks for', () => {
  const networks = {
    A: 'M|network|x',
    B: 'network',
    C: 'M|text|x',
    '1': 'M|network',
    D: 'M|network|x| |template_id:one',
    F: 'M|network|x| |template_id:1',
    E: 'M|network',
  };
  const body = ServiceTemplateBody.parse(template({ networks, custom_attrs: { E: '' } }));
  expect(networkFindings(body).map(({ pointer }) => pointer)).toEqual(
    ['1', 'B', 'C', 'D', 'E'].map((name) => `/networks/${name}`),
  );
});

it('makes a form of all that a template asks for', () => {
  const body = ServiceTemplateBody.parse(
    template({
      custom_attrs: { SIZE: 'M|list|Which size?|small, large|small', NET: 'O|network|Old way', FREE: '' },
      custom_attrs_values: { FREE: 'x' },
      roles: [{ ...roles[0], user_inputs: { COUNT: 'M|range|How many?|1..5' } }],
    }),
  );
  const nothing = { among: null, least: null, most: null, default: null };
  expect(templateForm(body)).toEqual([
    {
      name: 'Public',
      given_in: 'networks',
      role: null,
      type: 'network',
      mandatory: true,
      question: 'Public addresses',
      ...nothing,
    },
    {
      name: 'SIZE',
      given_in: 'inputs',
      role: null,
      type: 'list',
      mandatory: false,
      question: 'Which size?',
      ...nothing,
      among: ['small', 'large'],
      default: 'small',
    },
    {
      name: 'NET',
      given_in: 'networks',
      role: null,
      type: 'network',
      mandatory: false,
      question: 'Old way',
      ...nothing,
    },
    {
      name: 'FREE',
      given_in: 'inputs',
      role: null,
      type: 'text',
      mandatory: false,
      question: '',
      ...nothing,
      default: 'x',
    },
    {
      name: 'web/COUNT',
      given_in: 'inputs',
      role: 'web',
      type: 'range',
      mandatory: true,
      question: 'How many?',
      ...nothing,
      least: 1,
      most: 5,
    },
  ]);
});

it('takes values beside the template, and says where those stand that are wrong', () => {
  const body = template({
    networks: undefined,
    custom_attrs: { Public: 'M|number|Which?', UNUSED: 'O|text' },
    roles: [{ ...roles[0], user_inputs: { COUNT: 'M|number|How many?' } }],
  });
  const merged = mergeServiceTemplate(body, {}, 'shallow', { Public: 7, 'web/COUNT': '2' });
  expect(merged).toMatchObject({ custom_attrs_values: { Public: 7 } });
  expect(merged.roles).toMatchObject([{ vm_template_contents: 'NIC=[NETWORK_ID="7"]\nCOUNT="2"\n' }]);
  const wrong = () => mergeServiceTemplate(body, {}, 'shallow', { Public: 'x', 'web/COUNT': 'y', more: 1 });
  expect(wrong).toThrow(
    expect.objectContaining({
      findings: [
        { pointer: '/inputs/Public', detail: 'must be a whole number' },
        { pointer: '/inputs/web~1COUNT', detail: 'must be a whole number' },
        { pointer: '/inputs/more', detail: 'the template asks for no more' },
      ],
    }),
  );
});
