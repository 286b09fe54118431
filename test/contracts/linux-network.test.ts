import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { linuxNetworks } from '../../adapters/network/linux/linux.js';
import { deviceOf, tagIn, tagOf, vlanOf } from '../../adapters/network/linux/names.js';
import { planTidy, planWire } from '../../adapters/network/linux/plan.js';
import { type Run, runOn } from '../../adapters/network/linux/run.js';
import type { Wire } from '../../adapters/network/port.js';
import { problemOf } from '../../domain/problems.js';
import { Namespace, namespacesFault } from '../support/namespaces.js';
import { nicOf, onBridge } from '../support/nics.js';

describe('names of devices', () => {
  const ids = fc.tuple(fc.oneof(fc.nat(200), fc.nat(2 ** 31 - 1)), fc.nat(4_095));
  it('are as long as Linux lets them be, and no two NICs have the same', () => {
    fc.assert(
      fc.property(ids, ids, ([vm, nic], [otherVm, otherNic]) => {
        const name = deviceOf(vm, nic);
        expect(name.length).toBeLessThanOrEqual(15);
        expect(name).toMatch(/^o[a-z0-9-]+$/);
        expect(name === deviceOf(otherVm, otherNic)).toBe(vm === otherVm && nic === otherNic);
      }),
    );
    expect(deviceOf(12, 3)).toBe('one-12-3');
  });
  it('tell whose they are', () => {
    expect(tagIn(tagOf('0b4e', 12, 3, 7))).toMatchObject({ installation: '0b4e', vm: 12, nic: 3, epoch: 7 });
    expect(tagIn('enp3s0')).toBeNull();
  });
  it('of VLANs are those that everybody knows, where they fit', () => {
    expect(vlanOf('eth0', 100, () => '')).toBe('eth0.100');
    expect(vlanOf('enp0s31f6d1vf7', 4_094, () => 'abcdef0123')).toBe('vabcdef01.4094');
  });
});

// 802.1Q is not in every kernel that tests run on: what `ip` is told is looked at, and not done.
describe('a network of 802.1Q', () => {
  const wire: Wire = { vn_mad: '802.1Q', bridge: 'onebr3', phydev: 'eth0', vlan_id: 100, mtu: 9_000 };
  const planning = { installation: 'x', chance: () => 0, digest: () => 'abcdefgh' };
  const link = {
    ...{ index: 1, kind: '', up: true, mtu: 9_000, mac: '', master: null, under: null, number: null },
    ...{ filtered: true, names: [], own: false, tags: [] },
  };
  const card = { ...link, name: 'eth0' };
  const vlan = { ...link, name: 'eth0.100', kind: 'vlan', under: 'eth0', number: 100, master: 'onebr3', own: true };
  const bridge = { ...link, name: 'onebr3', kind: 'bridge', own: true };

  it('is a VLAN of the card, in the bridge', () => {
    expect(planWire([card], wire, planning)).toEqual([
      'link add name onebr3 address ae:a7:c5:00:00:00 type bridge forward_delay 0 nf_call_iptables 1 nf_call_ip6tables 1',
      'link add link eth0 name eth0.100 address ae:a7:c5:00:00:00 type vlan id 100',
      'link set dev eth0.100 addrgenmode none',
      'link set dev eth0.100 mtu 9000',
      'link set dev eth0.100 up',
      'link set dev eth0.100 master onebr3',
      'link set dev onebr3 addrgenmode none',
      'link set dev onebr3 mtu 9000',
      'link set dev onebr3 up',
    ]);
    expect(planWire([card, vlan, bridge], wire, planning)).toEqual([]);
    expect(planWire([card, { ...vlan, master: null }, bridge], wire, planning)).toEqual([
      'link set dev eth0.100 master onebr3',
    ]);
  });
  it.each([
    ['has another number', { number: 101 }, 'is not what it is to be'],
    ['is of another card', { under: 'eth1' }, 'is not what it is to be'],
    ['is in another bridge', { master: 'br0' }, 'is in bridge br0'],
  ])('is refused where the device of its name %s', (_, change, words) => {
    expect(() => planWire([card, { ...vlan, ...change }, bridge], wire, planning)).toThrow(words);
  });
  it('goes when nobody is on it, by names that whoever comes takes away', () => {
    const tidy = (...links: Parameters<typeof planTidy>[0]) => planTidy(links, wire, 't', planning);
    expect(tidy(card, vlan, bridge)).toEqual([
      'link property add dev eth0.100 altname arcus-leaving-t-link',
      'link property add dev onebr3 altname arcus-leaving-t-bridge',
    ]);
    const going = [
      { ...vlan, names: ['arcus-leaving-t-link'] },
      { ...bridge, names: ['arcus-leaving-t-bridge'] },
    ];
    expect(tidy(card, ...going)).toEqual(['link del dev arcus-leaving-t-link', 'link del dev arcus-leaving-t-bridge']);
    expect(tidy(card, ...going, { ...link, name: 'one-1-0', master: 'onebr3' })).toEqual([]);
    expect(planWire([card, ...going], wire, planning)).toEqual([
      'link property del dev eth0.100 altname arcus-leaving-t-link',
      'link property del dev onebr3 altname arcus-leaving-t-bridge',
    ]);
    // Those of others stay.
    expect(tidy(card, { ...vlan, own: false }, bridge)).toEqual([]);
    expect(tidy(card, vlan, { ...bridge, own: false })).toEqual([
      'link property add dev eth0.100 altname arcus-leaving-t-link',
    ]);
  });
});

const fault = namespacesFault();
describe.skipIf(fault !== null)(`a linux host${fault === null ? '' : `: left out, for ${fault}`}`, () => {
  let host: Namespace;
  beforeAll(() => {
    host = new Namespace();
  });
  afterAll(() => host.remove());
  const { signal } = new AbortController();
  const problem = async (wire: Wire, run: Run = host.run) =>
    problemOf(
      await linuxNetworks(run, 'tests')
        .plug(nicOf(1, { wire }), signal)
        .catch((error: unknown) => error),
    );
  const over = (phydev: string): Wire => ({ ...onBridge('onebr4'), vn_mad: 'vxlan', phydev, vlan_id: 7 });

  /** On a machine that has nothing. */
  const nowhere = runOn('/nowhere');
  it.each([
    ['ip', 'iproute2'],
    ['nft', 'nftables'],
  ])('that lacks %s says so, and what to do', async (program, debian) => {
    const said = await problem(onBridge('onebr4'), (asked, given, input, signal) =>
      asked === program ? nowhere(asked, given, input, signal) : host.run(asked, given, input, signal),
    );
    expect(said).toMatchObject({ code: 'backend_unavailable' });
    expect(said?.message).toContain(`${program} is not installed on the host. On Debian: apt-get install ${debian}.`);
  });

  it('that may change nothing says so', async () => {
    const powerless: Run = (program, given, input, signal) =>
      host.run('setpriv', ['--reuid=65534', '--clear-groups', program, ...given], input, signal);
    const said = await problem(onBridge('onebr5'), powerless);
    expect(said).toMatchObject({ code: 'backend_unavailable' });
    expect(said?.message).toContain('may not change networks of the host');
  });

  it('that has not the card, or something else of the name, refuses', async () => {
    expect(await problem(over('eth7'))).toMatchObject({
      code: 'network_refused',
      message: 'There is no card eth7 that the network could go over.',
    });
    host.do('ip', 'link', 'add', 'name', 'onebr6', 'type', 'veth', 'peer', 'name', 'card0');
    expect(await problem(onBridge('onebr6'))).toMatchObject({
      code: 'network_refused',
      message: 'onebr6 is there, and is no bridge.',
    });
    expect(await problem({ ...onBridge('onebr8'), vn_mad: 'dummy' })).toMatchObject({ code: 'network_refused' });
    // The kernel has one VXLAN of a number: somebody else's is in the way, and stays so.
    host.do('ip', 'link', 'add', 'name', 'theirs', 'type', 'vxlan', 'id', '7', 'dev', 'card0', 'dstport', '4789');
    expect(await problem(over('card0'))).toMatchObject({ code: 'network_refused' });
  });

  it('keeps what others have made, and a NIC of another installation is theirs', async () => {
    const [ours, theirs] = [linuxNetworks(host.run, 'ours'), linuxNetworks(host.run, 'theirs')];
    host.do('ip', 'link', 'add', 'name', 'br0', 'type', 'bridge');
    const nic = nicOf(3, { wire: { ...onBridge('br0'), vn_mad: 'dummy' } });
    await ours.plug(nic, signal);
    expect(await theirs.found(signal)).toEqual([]);
    for (const call of [theirs.plug(nic, signal), theirs.unplug(nic, signal)])
      await expect(call).rejects.toMatchObject({ code: 'network_refused' });
    await ours.unplug(nic, signal);
    expect(host.do('ip', '-o', 'link', 'show', 'br0')).toContain('br0');
    await ours.plug(nicOf(3, { wire: onBridge('br0') }), signal);
    await ours.unplug(nicOf(3, { wire: onBridge('br0') }), signal);
    expect(host.do('ip', '-o', 'link', 'show', 'br0')).toContain('br0');
  });
});
