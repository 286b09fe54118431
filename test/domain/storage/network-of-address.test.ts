import { isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressBytes, isInNetwork, whyKept } from '../../../domain/storage/network-of-address.js';

describe('an address', () => {
  it.each([
    ...['127.0.0.1', '127.255.255.255', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1', '169.254.169.254'],
    ...['100.64.0.1', '100.100.100.200', '0.0.0.0', '224.0.0.1', '255.255.255.255', '198.18.0.1', '168.63.129.16'],
    ...['::', '::1', 'fe80::1', 'fe80::1%eth0', 'fd00:ec2::254', 'fc00::1', 'ff02::1', '2001:db8::1', 'fec0::1'],
    ...[
      '::ffff:127.0.0.1',
      '::ffff:7f00:1',
      '::127.0.0.1',
      '64:ff9b::10.0.0.1',
      '64:ff9b:1::a00:1',
      '2002:7f00:1::',
      '2001::1',
    ],
    ...['::ffff:0:169.254.169.254', 'nothing', '', '127.1', '1.2.3.4.5'],
  ])('%s is kept from use', (address) => {
    expect(whyKept(address, [])).toBeTypeOf('string');
  });

  it.each([
    ...['1.1.1.1', '8.8.8.8', '172.15.0.1', '172.32.0.1', '100.63.0.1', '100.128.0.1', '169.253.0.1', '192.167.1.1'],
    ...['2606:4700::1111', '2a00:1450:4001::1', '::ffff:8.8.8.8', '64:ff9b::8.8.8.8', '2002:808:808::'],
  ])('%s may be asked', (address) => {
    expect(whyKept(address, [])).toBeUndefined();
  });

  it.each([
    ['10.1.2.3', ['10.0.0.0/8']],
    ['10.1.2.3', ['10.1.2.3']],
    ['::ffff:10.1.2.3', ['10.0.0.0/8']],
    ['fd00::7', ['fd00::/8']],
    ['::1', ['::1']],
  ])('%s may be asked where %j are allowed', (address, allowed) => {
    expect(whyKept(address, allowed)).toBeUndefined();
    expect(whyKept('127.0.0.1', allowed)).toBeTypeOf('string');
  });

  it('is in every network that is made of its own bits, and in none of another', () => {
    fc.assert(
      fc.property(fc.ipV4(), fc.integer({ min: 1, max: 32 }), (address, bits) => {
        expect(isInNetwork(address, `${address}/${bits}`)).toBe(true);
        const number = (addressBytes(address) ?? []).reduce((sum, byte) => sum * 256 + byte, 0);
        const other = (number ^ (1 << (32 - bits))) >>> 0;
        const text = [24, 16, 8, 0].map((shift) => (other >>> shift) & 0xff).join('.');
        expect(isInNetwork(text, `${address}/${bits}`)).toBe(false);
      }),
    );
    fc.assert(fc.property(fc.ipV6(), (address) => addressBytes(address)?.length === 16));
  });

  it('is read as Node reads it', () => {
    const pieces = fc.constantFrom(
      '0',
      '1',
      '255',
      '256',
      '01',
      'f',
      'ffff',
      'fffff',
      ':',
      '::',
      '.',
      '1.2.3.4',
      'x',
      '-1',
    );
    const texts = fc.oneof(
      fc.array(pieces, { maxLength: 12 }).map((all) => all.join('')),
      fc.ipV6(),
      fc.ipV4(),
    );
    fc.assert(
      fc.property(texts, (text) => (addressBytes(text)?.length ?? 0) === { 0: 0, 4: 4, 6: 16 }[isIP(text)]),
      { numRuns: 2_000 },
    );
  });
});
