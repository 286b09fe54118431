import { describe, expect, it } from 'vitest';
import { networkText, nicWishes } from '../../../domain/vms/nic-wishes.js';

describe('what NICs wish of networks', () => {
  it('is the network that they name, by its id before its name, and the very address', () => {
    expect(
      nicWishes([
        { NETWORK: 'office', NETWORK_UNAME: 'oneadmin' },
        { MODEL: 'virtio' },
        { NETWORK_ID: '7', NETWORK: 'office', IP: '10.0.0.1' },
        { NETWORK_ID: 8, MAC: '02:00:C0:A8:00:0A' },
      ]),
    ).toEqual([
      { nic_id: 0, network: { name: 'office', owner: 'oneadmin' } },
      { nic_id: 2, network: { id: 7 }, ip: '10.0.0.1' },
      { nic_id: 3, network: { id: 8 }, mac: '02:00:c0:a8:00:0a' },
    ]);
  });

  it('is that of one NIC, or of none', () => {
    expect(nicWishes({ NETWORK: 'lan' })).toEqual([{ nic_id: 0, network: { name: 'lan', owner: null } }]);
    for (const none of [undefined, [], 'lan', {}, { NETWORK: ' ' }]) expect(nicWishes(none)).toEqual([]);
  });

  it('is said in a sentence', () => {
    expect(networkText({ id: 3 })).toBe('virtual network 3');
    expect(networkText({ name: 'lan', owner: null })).toBe('virtual network "lan"');
  });
});
