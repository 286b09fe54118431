import { describe, expect, it } from 'vitest';
import {
  connectionFindings,
  connectionOf,
  drawsVlan,
  freeVlan,
  saysConnection,
} from '../../../domain/networks/connection.js';
import { attributeFindings } from '../../../domain/networks/network-attributes.js';

const pointers = (wish: Parameters<typeof connectionFindings>[0]) =>
  connectionFindings(wish).map(({ pointer }) => pointer);

describe('how a network is connected', () => {
  it.each([
    [{ vn_mad: 'dummy' }, []],
    [{ vn_mad: 'bridge', bridge: 'br0' }, []],
    [{ vn_mad: 'bridge', phydev: 'eth0', vlan_id: 3 }, ['/phydev', '/vlan_id']],
    [{ vn_mad: '802.1Q' }, ['/phydev']],
    [{ vn_mad: '802.1Q', phydev: 'eth0', vlan_id: 4_094 }, []],
    [{ vn_mad: '802.1Q', phydev: 'eth0', vlan_id: 4_095 }, ['/vlan_id']],
    [{ vn_mad: 'vxlan', phydev: 'eth0', vlan_id: 4_095 }, []],
  ] as const)('%j is wrong in %j', (wish, expected) => {
    expect(pointers(wish)).toEqual(expected);
  });

  it('is a bridge of its own where nobody says anything', () => {
    const wish = { vn_mad: 'dummy' } as const;
    expect(saysConnection(wish)).toBe(false);
    expect(connectionOf(7, wish, null)).toEqual({
      ...{ vn_mad: 'dummy', bridge: 'onebr7', phydev: null, vlan_id: null, vlan_drawn: false },
    });
  });

  it('has a VLAN that is drawn where it needs one and has none: the first that nobody has', () => {
    expect(drawsVlan({ vn_mad: '802.1Q', phydev: 'eth0' })).toBe(true);
    expect(drawsVlan({ vn_mad: '802.1Q', phydev: 'eth0', vlan_id: 9 })).toBe(false);
    expect(drawsVlan({ vn_mad: 'bridge' })).toBe(false);
    expect(freeVlan('802.1Q', new Set([2, 3, 5]))).toBe(4);
    expect(freeVlan('802.1Q', new Set(Array.from({ length: 4_094 }, (_, at) => at + 1)))).toBeNull();
  });
});

it.each([
  ['NETWORK_MASK', '255.255.255.0', true],
  ['NETWORK_MASK', '255.0.255.0', false],
  ['NETWORK_MASK', '0.0.0.0', true],
  ['GATEWAY', '10.0.0.1', true],
  ['GATEWAY', '10.0.0.256', false],
  ['GATEWAY6', 'fe80::1', true],
  ['GATEWAY6', '10.0.0.1', false],
  ['DNS', '9.9.9.9 2620:fe::fe', true],
  ['DNS', 'dns.example.org', false],
  ['MTU', '9000', true],
  ['MTU', '67', false],
  ['MTU', '1e3', false],
  ['GUEST_MTU', '', true],
  ['ANYTHING', 'else', true],
])('an attribute %s of %s is right: %s', (name, value, isRight) => {
  expect(attributeFindings({ [name]: value }, '/attributes').length).toBe(isRight ? 0 : 1);
});
