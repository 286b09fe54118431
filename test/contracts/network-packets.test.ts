import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linuxNetworks } from '../../adapters/network/linux/linux.js';
import { deviceOf } from '../../adapters/network/linux/names.js';
import type { HostNetworks, PluggedNic, Wire } from '../../adapters/network/port.js';
import { cable, Namespace, namespacesFault } from '../support/namespaces.js';
import { allowed, filterOf, nicOf, onBridge } from '../support/nics.js';
import { eventually } from '../support/processes.js';

const fault = namespacesFault();
const vxlan: Wire = { vn_mad: 'vxlan', bridge: 'onebr9', phydev: 'card0', vlan_id: 4_711, mtu: 1_450 };
const { signal } = new AbortController();

type Host = { space: Namespace; networks: HostNetworks };
type Guest = { space: Namespace; nic: PluggedNic; host: Host; ip: string };

/** Two hosts with a cable between them, and guests who are on the devices of their NICs, by real packets. */
describe.skipIf(fault !== null)(`guests of linux hosts${fault === null ? '' : `: left out, for ${fault}`}`, () => {
  const spaces: Namespace[] = [];
  const newSpace = (): Namespace => {
    const space = new Namespace();
    spaces.push(space);
    return space;
  };
  const newHost = (): Host => {
    const space = newSpace();
    return { space, networks: linuxNetworks(space.run, 'tests') };
  };
  let last = 0;
  /** A guest on a host, whose device is there as its hypervisor would have made it, and nothing else. */
  const newGuest = (host: Host, wire: Wire, ip: string): Guest => {
    last += 1;
    const nic = nicOf(last, { wire });
    const space = newSpace();
    cable(host.space, deviceOf(last, 0), space, 'eth0');
    space.do('ip', 'link', 'set', 'dev', 'eth0', 'address', nic.mac);
    if (wire.mtu !== null) space.do('ip', 'link', 'set', 'dev', 'eth0', 'mtu', `${wire.mtu}`);
    space.do('ip', 'addr', 'add', `${ip}/24`, 'dev', 'eth0');
    space.do('ip', '-6', 'addr', 'add', `2001:db8::${last}/64`, 'dev', 'eth0', 'nodad');
    return { space, nic, host, ip };
  };
  const plugged = async (guest: Guest, change: Parameters<typeof filterOf>[0] = {}): Promise<Guest> => {
    await guest.host.networks.plug({ ...guest.nic, filter: filterOf(change) }, signal);
    return guest;
  };
  const unplugged = (guest: Guest): Promise<void> => guest.host.networks.unplug(guest.nic, signal);
  let revision = 1;
  const secure = ({ nic, host }: Guest, change: Parameters<typeof filterOf>[0]): Promise<void> => {
    revision += 1;
    return host.networks.secure({ vm: nic.vm, nic: 0, filter: filterOf({ revision, ...change }) }, signal);
  };
  const rulesOf = ({ space }: Host): string => space.do('nft', 'list', 'ruleset').trim();

  let one: Host;
  let other: Host;
  beforeAll(() => {
    [one, other] = [newHost(), newHost()];
    cable(one.space, 'card0', other.space, 'card0');
    one.space.do('ip', 'addr', 'add', '192.168.9.1/24', 'dev', 'card0');
    other.space.do('ip', 'addr', 'add', '192.168.9.2/24', 'dev', 'card0');
  });
  afterAll(() => {
    for (const space of spaces) space.remove();
  });

  it('of one VXLAN reach each other from host to host, and nothing is left when they have gone', async () => {
    const [a, b] = [newGuest(one, vxlan, '10.0.0.1'), newGuest(other, vxlan, '10.0.0.2')];
    expect(await a.space.pings(b.ip)).toBe(false);
    await Promise.all([plugged(a), plugged(b)]);
    await a.space.reaches('icmp', b.ip);
    await b.space.runs('serve', b.ip, '80');
    await a.space.reaches('tcp', b.ip, 80);

    // Another number on the same card is another network.
    const c = await plugged(newGuest(one, { ...vxlan, bridge: 'onebr10', vlan_id: 4_712 }, '10.0.0.3'));
    expect(await c.space.pings(b.ip)).toBe(false);

    const before = other.space.do('ip', '-o', 'link');
    expect(before).toContain('one-vx4711');
    for (const guest of [a, b, c]) await unplugged(guest);
    for (const host of [one, other]) {
      expect(host.space.do('ip', '-o', 'link')).not.toMatch(/one/);
      expect(host.space.do('ip', '-o', 'link')).toContain('card0');
      expect(rulesOf(host)).toBe('');
    }
  });

  describe('of one bridge', () => {
    const wire = onBridge('onebr7');
    let guest: Guest;
    let peer: Guest;
    beforeAll(async () => {
      guest = await plugged(newGuest(one, wire, '10.0.1.1'));
      peer = await plugged(newGuest(one, wire, '10.0.1.2'));
      await guest.space.runs('serve', guest.ip, '80,81');
      await guest.space.runs('serve', `2001:db8::${guest.nic.vm}`, '80,81');
      await peer.space.runs('serve', peer.ip, '80,81');
    });

    it('answer by ports that are open, and by no other', async () => {
      await secure(guest, { inbound: [allowed({ protocol: 'TCP', ports: [{ first: 80, last: 80 }] })] });
      await peer.space.reaches('tcp', guest.ip, 80);
      expect(await peer.space.asks('tcp', guest.ip, 81)).toBe('silent');
      expect(await peer.space.asks('udp', guest.ip, 80)).toBe('silent');
      expect(await peer.space.pings(guest.ip)).toBe(false);
      const six = `2001:db8::${guest.nic.vm}`;
      await peer.space.reaches('tcp', six, 80);
      expect(await peer.space.asks('tcp', six, 81)).toBe('silent');
    });

    it('are told what answers them, whatever is closed', async () => {
      await secure(guest, { inbound: [] });
      await guest.space.reaches('tcp', peer.ip, 80);
      await guest.space.reaches('udp', peer.ip, 81);
      await guest.space.reaches('icmp', peer.ip);
      expect(await peer.space.asks('tcp', guest.ip, 80)).toBe('silent');
      expect(await peer.space.pings(guest.ip)).toBe(false);
    });

    it('send what they may, and nothing else', async () => {
      await secure(guest, { outbound: [allowed({ protocol: 'UDP', ports: [{ first: 80, last: 80 }] })] });
      await guest.space.reaches('udp', peer.ip, 80);
      expect(await guest.space.asks('udp', peer.ip, 81)).toBe('silent');
      expect(await guest.space.asks('tcp', peer.ip, 80)).toBe('silent');
      await peer.space.reaches('tcp', guest.ip, 80);
    });

    it('are pinged where ICMP is allowed, by its types, and of those that are named', async () => {
      await secure(guest, { inbound: [allowed({ protocol: 'ICMP', icmpType: 8 })] });
      await peer.space.reaches('icmp', guest.ip);
      expect(await peer.space.pings(`2001:db8::${guest.nic.vm}`)).toBe(false);
      await secure(guest, { inbound: [allowed({ protocol: 'ICMP', icmpType: 13 }), allowed({ protocol: 'ICMPV6' })] });
      expect(await peer.space.pings(guest.ip)).toBe(false);
      await peer.space.reaches('icmp', `2001:db8::${guest.nic.vm}`);
      const of = (first: string, last: string) => allowed({ peers: { ip4: [{ first, last }], ip6: [] } });
      await secure(guest, { inbound: [of('10.0.1.3', '10.0.1.200')] });
      expect(await peer.space.pings(guest.ip)).toBe(false);
      await secure(guest, { inbound: [of('10.0.1.3', '10.0.1.200'), of('10.0.1.2', '10.0.1.2')] });
      await peer.space.reaches('icmp', guest.ip);
    });

    it('keep a connection while what is allowed changes, and have no new one', async () => {
      await secure(guest, { inbound: [allowed({ protocol: 'TCP' })] });
      const connection = await peer.space.runs('keep', guest.ip, '80');
      connection.say('one');
      expect(await connection.next()).toBe('answers one');
      await secure(guest, { inbound: [] });
      expect(await peer.space.asks('tcp', guest.ip, 80)).toBe('silent');
      connection.say('two');
      expect(await connection.next()).toBe('answers two');
      await secure(guest, {});
      await peer.space.reaches('tcp', guest.ip, 80);
      connection.say('three');
      expect(await connection.next()).toBe('answers three');
    });

    it('send as nobody else, where the network says so', async () => {
      const { mac } = guest.nic;
      await secure(guest, {});
      guest.space.do('ip', 'addr', 'add', '10.0.1.66/24', 'dev', 'eth0');
      const asOther = (): boolean => {
        const said = guest.space.do('sh', '-c', `ping -n -c 1 -W 1 -I 10.0.1.66 ${peer.ip} || true`);
        return said.includes('1 received');
      };
      const forgets = (): void => void peer.space.do('ip', 'neigh', 'flush', 'all');
      await eventually(asOther);
      await secure(guest, { ips: { ip4: [guest.ip], ip6: [] } });
      forgets();
      expect(asOther()).toBe(false);
      await guest.space.reaches('icmp', peer.ip);
      await secure(guest, { mac });
      forgets();
      await eventually(asOther);
      guest.space.do('ip', 'link', 'set', 'dev', 'eth0', 'address', '02:00:00:00:00:99');
      forgets();
      expect(await guest.space.pings(peer.ip)).toBe(false);
      guest.space.do('ip', 'link', 'set', 'dev', 'eth0', 'address', mac);
      forgets();
      await guest.space.reaches('icmp', peer.ip);
    });

    it('are filtered from the first moment on, and leave no rule', async () => {
      const late = newGuest(one, wire, '10.0.1.5');
      await late.space.runs('serve', late.ip, '80');
      await plugged(late, { inbound: [] });
      expect(await peer.space.asks('tcp', late.ip, 80)).toBe('silent');
      expect(rulesOf(one)).toContain(deviceOf(late.nic.vm, 0));
      await unplugged(late);
      expect(rulesOf(one)).not.toContain(deviceOf(late.nic.vm, 0));
      await Promise.all([unplugged(guest), unplugged(peer)]);
      expect(rulesOf(one)).toBe('');
      expect(one.space.do('ip', '-o', 'link')).not.toMatch(/one/);
    });
  });

  it('have not each other’s connections where two networks have the same addresses', async () => {
    const [red, blue] = [onBridge('onebr20'), onBridge('onebr21')];
    const [a, b] = [newGuest(one, red, '10.0.2.1'), newGuest(one, red, '10.0.2.2')];
    const [c, d] = [newGuest(one, blue, '10.0.2.1'), newGuest(one, blue, '10.0.2.2')];
    for (const guest of [a, b, d]) await plugged(guest);
    await plugged(c, { inbound: [] });
    await b.space.runs('serve', b.ip, '80');
    await c.space.runs('serve', c.ip, '5000');
    await a.space.reaches('udp', b.ip, 80, 5_000);
    // As b answers a, on the other network, where nobody has asked.
    expect(await d.space.asks('udp', c.ip, 5_000, 80)).toBe('silent');
    await c.host.networks.secure({ vm: c.nic.vm, nic: 0, filter: filterOf({ revision: 2 }) }, signal);
    await d.space.reaches('udp', c.ip, 5_000, 80);
    for (const guest of [a, b, c, d]) await unplugged(guest);
    expect(rulesOf(one)).toBe('');
  });
});
