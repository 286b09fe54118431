import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  addressAt,
  indexIn,
  planRange,
  planRanges,
  reservedRange,
  resizeFault,
} from '../../../domain/networks/ranges.js';
import type { AddressRange, NewRange } from '../../../schemas/networks/addresses.js';

const plan = (wish: NewRange, others: AddressRange[] = [], chance: () => number = () => 0.5) =>
  planRange(wish, { ar_id: 7, others, under: '', chance });
const made = (wish: NewRange, others: AddressRange[] = []): AddressRange => {
  const planned = plan(wish, others);
  if (!('range' in planned)) throw new Error(JSON.stringify(planned.findings));
  return planned.range;
};
const fault = (wish: NewRange, others: AddressRange[] = []) => plan(wish, others).findings[0];
const four = { type: 'IP4', ip: '192.168.0.10', size: 100 } as const;

describe('a range', () => {
  it('has OpenNebula’s MACs where it says none', () => {
    expect(made(four)).toEqual({ ar_id: 7, ...four, mac: '02:00:c0:a8:00:0a' });
  });

  it('has a MAC that is drawn where it has no IPv4 address, and one that no other range has', () => {
    const one = made({ type: 'ETHER', size: 10 });
    expect(one.mac).toBe('02:00:80:00:00:00');
    const draws = [0.5, 0.5, 0.25];
    const other = plan({ type: 'ETHER', size: 10 }, [one], () => draws.shift() ?? 0);
    expect(other).toMatchObject({ range: { mac: '02:00:40:00:00:00' } });
    expect(fault({ type: 'ETHER', size: 10 }, [one])).toMatchObject({ pointer: '/mac' });
  });

  it('keeps the 64 bits of a prefix', () => {
    expect(made({ type: 'IP6', size: 1, global_prefix: '2001:DB8:0:0:1::5' }).global_prefix).toBe('2001:db8::');
  });

  it.each<[string, NewRange, string, string]>([
    ['ends with IPv4', { type: 'IP4', ip: '223.255.255.250', size: 10 }, '/ip', 'leads to 224.0.0.0'],
    [
      'ends with all there is',
      { type: 'IP4', ip: '255.255.255.250', size: 10 },
      '/ip',
      'has not 10 addresses after it',
    ],
    ['is each machine’s own', { type: 'IP4', ip: '126.255.255.255', size: 2 }, '/ip', 'leads to 127.0.0.0'],
    ['is of many', { type: 'IP4', ip: '239.0.0.1', size: 1 }, '/ip', 'leads to 239.0.0.1'],
    ['is of nothing', { type: 'IP4', ip: '0.0.0.1', size: 1 }, '/ip', 'leads to 0.0.0.1'],
    [
      'becomes a MAC of many',
      { type: 'ETHER', mac: '02:ff:ff:ff:ff:ff', size: 2 },
      '/mac',
      'has not 2 addresses after it',
    ],
  ])('is refused where it %s', (_, wish, pointer, detail) => {
    expect(fault(wish)).toMatchObject({ pointer, detail: expect.stringContaining(detail) });
  });

  it('has no address that another range of its network has', () => {
    const one = made(four);
    expect(fault({ type: 'IP4', ip: '192.168.0.109', size: 1 }, [one])).toEqual({
      pointer: '/ip',
      detail: 'meets another range: 192.168.0.109 is in range 7 already',
    });
    expect(fault({ type: 'ETHER', mac: '02:00:c0:a8:00:00', size: 11 }, [one])).toMatchObject({
      detail: 'meets another range: 02:00:c0:a8:00:0a is in range 7 already',
    });
    expect(fault({ type: 'IP4', ip: '192.168.0.110', size: 1 }, [one])).toBeUndefined();
  });

  it('is judged beside those that are asked for with it', () => {
    const { ranges, findings } = planRanges([four, four, { ...four, ip: '10.0.0.1' }], {
      ...{ next: 3, others: [], under: '/address_ranges', chance: () => 0 },
    });
    expect(ranges.map(({ ar_id }) => ar_id)).toEqual([3, 5]);
    expect(findings).toMatchObject([{ pointer: '/address_ranges/1/ip' }]);
  });

  it('can be resized as long as it meets no other, and is not reserved', () => {
    const one = made(four);
    const next = made({ type: 'IP4', ip: '192.168.0.120', size: 1 }, [one]);
    expect(resizeFault(one, 110, [next])).toBeNull();
    expect(resizeFault(one, 111, [next])).toMatch('192.168.0.120 is in range 7');
    const part = reservedRange(one, { network: 1, first: 5, size: 3, ar_id: 0 });
    expect(part).toMatchObject({
      ip: '192.168.0.15',
      mac: '02:00:c0:a8:00:0f',
      from: { network: 1, ar_id: 7, first: 5 },
    });
    expect(resizeFault(part, 2, [])).toMatch('reserved');
  });
});

describe('an address', () => {
  const both: NewRange = {
    ...{ type: 'IP4_6', ip: '10.0.0.1', size: 300, mac: '02:00:00:00:ff:f0' },
    ...{ global_prefix: '2001:db8::', ula_prefix: 'fd00::' },
  };

  it('has all that its range has', () => {
    expect(addressAt(made(both), 255)).toEqual({
      ...{ mac: '02:00:00:01:00:ef', ip: '10.0.1.0', ip6_link: 'fe80::ff:fe01:ef' },
      ...{ ip6_global: '2001:db8::ff:fe01:ef', ip6_ula: 'fd00::ff:fe01:ef' },
    });
    expect(addressAt(made({ type: 'ETHER', size: 1, mac: '02:00:00:00:00:01' }), 0)).toEqual({
      ...{ mac: '02:00:00:00:00:01', ip: null, ip6_link: null, ip6_global: null, ip6_ula: null },
    });
  });

  it('is found again by its IPv4 address, by its MAC and by both; of a range no two are alike', () => {
    const sizes = fc.integer({ min: 1, max: 65_536 });
    fc.assert(
      fc.property(sizes, fc.nat(), fc.nat(), (size, a, b) => {
        const range = made({ ...both, size });
        const [one, other] = [a % size, b % size];
        const { mac, ip } = addressAt(range, one);
        expect(indexIn(range, { mac })).toBe(one);
        expect(indexIn(range, { ip: ip ?? '' })).toBe(one);
        expect(indexIn(range, { ip: ip ?? '', mac })).toBe(one);
        if (one !== other) {
          expect(addressAt(range, other)).not.toEqual(addressAt(range, one));
          expect(indexIn(range, { ip: ip ?? '', mac: addressAt(range, other).mac })).toBeNull();
        }
      }),
    );
  });

  it('is none of a range before its first, after its last, of another kind or with another id', () => {
    const range = made(four);
    expect(indexIn(range, { ip: '192.168.0.9' })).toBeNull();
    expect(indexIn(range, { ip: '192.168.0.110' })).toBeNull();
    expect(indexIn(range, { ip: '192.168.0.10', ar_id: 6 })).toBeNull();
    expect(indexIn(made({ type: 'ETHER', size: 4 }), { ip: '192.168.0.10' })).toBeNull();
  });
});
