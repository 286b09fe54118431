import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ip4Number,
  ip4Text,
  ip6Groups,
  ip6Text,
  macNumber,
  macOfIp4,
  macText,
  slaac,
} from '../../../domain/networks/addresses.js';

describe('addresses as numbers', () => {
  it('are the same addresses again', () => {
    fc.assert(fc.property(fc.ipV4(), (ip) => ip4Text(ip4Number(ip)) === ip));
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), fc.nat(2 ** 16 - 1), (low, high) => {
        const number = high * 2 ** 32 + low;
        return macNumber(macText(number)) === number;
      }),
    );
  });

  it('are those of OpenNebula: a MAC is 02:00 and its IPv4 address', () => {
    expect(macOfIp4('192.168.0.10')).toBe('02:00:c0:a8:00:0a');
    expect(macOfIp4('255.255.255.255')).toBe('02:00:ff:ff:ff:ff');
  });
});

describe('IPv6', () => {
  it.each([
    ['2001:db8::', [0x2001, 0xdb8, 0, 0, 0, 0, 0, 0]],
    ['::1', [0, 0, 0, 0, 0, 0, 0, 1]],
    ['::', [0, 0, 0, 0, 0, 0, 0, 0]],
    ['fe80::1:0:0:2', [0xfe80, 0, 0, 0, 1, 0, 0, 2]],
    ['::ffff:c0a8:1', [0, 0, 0, 0, 0, 0xffff, 0xc0a8, 1]],
    ['1:2:3:4:5:6:7:8', [1, 2, 3, 4, 5, 6, 7, 8]],
    ['1:0:3:4:5:6:7:8', [1, 0, 3, 4, 5, 6, 7, 8]],
  ])('%s is read, and written as RFC 5952 has it', (text, groups) => {
    expect(ip6Groups(text)).toEqual(groups);
    expect(ip6Text(groups)).toBe(text);
  });

  it('is read with an IPv4 address at its end', () => {
    expect(ip6Groups('::ffff:192.168.0.1')).toEqual([0, 0, 0, 0, 0, 0xffff, 0xc0a8, 1]);
  });

  it('is the same when it is written and read again, and is written once', () => {
    const groups = fc.array(fc.oneof(fc.constant(0), fc.nat(0xffff)), { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(groups, (given) => {
        const text = ip6Text(given);
        expect(ip6Groups(text)).toEqual(given);
        expect(text.split('::').length).toBeLessThanOrEqual(2);
      }),
    );
    fc.assert(fc.property(fc.ipV6(), (text) => ip6Groups(text).length === 8));
  });

  // RFC 4291, appendix A: 34-56-78-9A-BC-DE.
  it('of a card is made of its MAC', () => {
    expect(slaac('fe80::', '34:56:78:9a:bc:de')).toBe('fe80::3656:78ff:fe9a:bcde');
    expect(slaac('2001:db8:1:2::', '02:00:c0:a8:00:0a')).toBe('2001:db8:1:2:0:c0ff:fea8:a');
  });
});
