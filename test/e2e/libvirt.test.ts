import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { VmScreenResource } from '../../schemas/vms/vm-screen.js';
import { Cluster } from '../support/cluster.js';
import { isLibvirtMissing, LibvirtHost } from '../support/libvirt-hosts.js';
import { eventually } from '../support/processes.js';
import { Sshd } from '../support/sshd.js';
import { tinyGuest, tinyKernel } from '../support/tiny-guest.js';

/** The ssh of a user who knows one server by its key, and has a key for it: as `~/.ssh` says it where there is one. Returns where it lies. */
function sshProgram(sshd: Sshd, directory: string): string {
  const at = (name: string): string => join(directory, name);
  writeFileSync(at('known_hosts'), `[127.0.0.1]:${sshd.port} ${sshd.hostKey()}\n`);
  writeFileSync(at('key'), sshd.privateKey(), { mode: 0o600 });
  const settings = [
    `UserKnownHostsFile ${at('known_hosts')}`,
    'GlobalKnownHostsFile /dev/null',
    `IdentityFile ${at('key')}`,
  ];
  writeFileSync(at('ssh_config'), ['Host *', ...settings, 'IdentitiesOnly yes', 'BatchMode yes', ''].join('\n'));
  mkdirSync(at('bin'));
  const real = execFileSync('sh', ['-c', 'command -v ssh'], { encoding: 'utf8' }).trim();
  writeFileSync(at('bin/ssh'), `#!/bin/sh\nexec ${real} -F ${at('ssh_config')} "$@"\n`, { mode: 0o755 });
  return at('bin');
}

describe.skipIf(isLibvirtMissing())('a service of real guests, on hosts of libvirt', { timeout: 600_000 }, () => {
  let cluster: Cluster;
  let directory: string;
  const hosts: LibvirtHost[] = [];
  let image: number;
  let kernel: number;
  let os: Record<string, string>;
  let service: number;
  let screen: WebSocket;
  let sshd: Sshd;
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'arcus-libvirt-'));
    const guest = tinyGuest();
    const boot = tinyKernel(directory);
    const storage = {
      ARCUS_DATASTORES: join(directory, 'datastores'),
      ARCUS_SAFE_DIRS: [join(guest, '..'), directory].join(','),
    };
    sshd = await Sshd.start();
    const environment = { ...storage, PATH: `${sshProgram(sshd, directory)}:${process.env.PATH}` };
    cluster = await Cluster.start({ onServersOfTheRun: true, environments: { worker: environment, api: environment } });
    for (const at of [1, 2])
      hosts.push(await LibvirtHost.machine(`kvm-${at}`, { cpu: 800, memory: 4_096 }, { ownNetwork: false }));
    const [near, far] = hosts;
    if (!near || !far) throw new Error('there are two');
    await hostOf(near, near.uri);
    // The other as if it were on another machine.
    await hostOf(far, sshUri(far, '127.0.0.1'));
    const imageOf = async (name: string, type: string, path: string): Promise<number> => {
      const { id, resource } = await cluster.client.accepted('POST', '/images', { name, type, source: { path } });
      await cluster.client.awaitOperation(id, 'succeeded');
      return resource.id;
    };
    image = await imageOf('tiny', 'OS', guest);
    kernel = await imageOf('vmlinuz', 'KERNEL', boot.kernel);
    const ramdisk = await imageOf('initrd', 'RAMDISK', boot.ramdisk);
    os = { KERNEL_DS: `$FILE[IMAGE_ID=${kernel}]`, INITRD_DS: `$FILE[IMAGE_ID=${ramdisk}]`, KERNEL_CMD: boot.line };
  });
  afterAll(async () => {
    await cluster?.stop();
    for (const host of hosts) host.close();
    await sshd?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  const hostOf = ({ name, pool }: LibvirtHost, uri: string) =>
    cluster.client.make('/hosts', {
      ...{ name, vm_mad: 'libvirt', cpu: 8, memory: 4_096 },
      libvirt: { uri, virt_type: 'qemu', directory: pool },
    });
  const sshUri = (host: LibvirtHost, name: string): string => {
    const { pathname, searchParams } = new URL(host.uri);
    return `qemu+ssh://${userInfo().username}@${name}:${sshd.port}${pathname}?socket=${searchParams.get('socket')}`;
  };
  const installation = async () => await cluster.store.installation.id();
  /** What the guest of a VM has said. */
  const said = async (vm: number): Promise<string> => {
    const name = `${await installation()}.${vm}.log`;
    return hosts
      .map(({ pool }) => {
        try {
          return readFileSync(join(pool, name), 'utf8');
        } catch {
          return '';
        }
      })
      .join('');
  };
  const vmsNow = () => cluster.client.vmsOf(service);

  it('boots in order, and each guest does what its context says', async () => {
    const template = (name: string, from: Record<string, unknown>) =>
      cluster.client.make('/vm-templates', {
        name,
        template: {
          ...{ CPU: 0.2, MEMORY: 96, ...from },
          CONTEXT: { SET_HOSTNAME: '$NAME', START_SCRIPT: 'echo "it\'s $SET_HOSTNAME, of $(cat /proc/cmdline)"' },
        },
      });
    // One without any disk is booted by a kernel that lies beside what it is told.
    const kernelOnly = await template('kernel', {
      ...{ OS: os, GRAPHICS: { TYPE: 'VNC', RANDOM_PASSWD: 'YES' } },
      SCHED_REQUIREMENTS: 'NAME = "kvm-1"',
    });
    const tiny = await template('tiny', {
      ...{ DISK: [{ IMAGE_ID: image }], GRAPHICS: { TYPE: 'VNC' } },
      SCHED_REQUIREMENTS: 'NAME = "kvm-2"',
    });
    const roles = [
      { name: 'db', vm_template: kernelOnly },
      { name: 'web', vm_template: tiny, cardinality: 2, parents: ['db'] },
    ];
    const body = { name: 'shop', deployment: 'straight', roles };
    service = await cluster.client.instantiate(await cluster.client.make('/service-templates', body));
    await cluster.client.awaitService(service, 'RUNNING');
    for (const { id, name } of await vmsNow())
      await eventually(async () => (await said(id)).includes(`it's ${name}, of `));
    const [first] = await vmsNow();
    // A boot loader says more.
    expect(await said(first?.id ?? -1)).toContain(`it's ${first?.name}, of ${os.KERNEL_CMD}\r\n`);
  });

  it('shows its screen to who asks for it, once, as long as it runs', async () => {
    const [first] = await vmsNow();
    const shown = await cluster.client.ask(VmScreenResource, 'POST', `/vms/${first?.id}/vnc`);
    expect(shown.password).toMatch(/^[\w-]{8}$/);
    const url = new URL(shown.path, cluster.client.url.replace('http', 'ws'));
    screen = new WebSocket(url);
    const [version] = await once(screen, 'message');
    expect(String(version)).toBe('RFB 003.008\n');
    // Of one that is reached over ssh, too.
    const other = (await vmsNow()).find((vm) => vm.host?.name === 'kvm-2');
    const far = await cluster.client.ask(VmScreenResource, 'POST', `/vms/${other?.id}/vnc`);
    expect(far.password).toBeNull();
    const farScreen = new WebSocket(new URL(far.path, cluster.client.url.replace('http', 'ws')));
    expect(String((await once(farScreen, 'message'))[0])).toBe('RFB 003.008\n');
    farScreen.terminate();
    const [, refused] = await once(
      new WebSocket(url).on('error', () => {}),
      'unexpected-response',
    );
    expect(refused.statusCode).toBe(401);
  });

  it('runs on a host that is reached over ssh, which is asked what it has, and on none whose key is not known', async () => {
    const [, host] = hosts;
    if (!host) throw new Error('there are two');
    expect((await vmsNow()).filter((vm) => vm.host?.name === 'kvm-2')).toHaveLength(2);
    await eventually(async () => (await cluster.store.hosts.model.findOne({ name: 'kvm-2' }))?.state === 'MONITORED');
    await eventually(async () => (await vmsNow()).every(({ monitoring }) => monitoring !== null));
    const stranger = await hostOf(Object.assign(Object.create(host), { name: 'stranger' }), sshUri(host, 'localhost'));
    const seen = () => cluster.store.hosts.find(stranger);
    await eventually(async () => (await seen())?.error?.includes('Host key verification failed') === true);
  });

  it('keeps the kernel of one that is there from being removed', async () => {
    const { status, body } = await cluster.client.send('DELETE', `/images/${kernel}`);
    expect([status, body]).toEqual([409, expect.objectContaining({ detail: expect.stringContaining('uses it') })]);
  });

  it('is not asked for what libvirt cannot do', async () => {
    const [first] = await vmsNow();
    const { status, body } = await cluster.client.send('POST', `/vms/${first?.id}/migrate`, {});
    expect([status, body]).toEqual([
      409,
      expect.objectContaining({ detail: expect.stringContaining('libvirt cannot do this (migrate)') }),
    ]);
  });

  it('whose host dies runs on another, once somebody says that the host is off; what must be there waits for it', async () => {
    const { client } = cluster;
    const [, host] = hosts;
    if (!host) throw new Error('there are two');
    const byName = async (name: string) => (await cluster.store.hosts.model.findOne({ name }))?._id ?? -1;
    const [to, from] = [await byName('kvm-1'), await byName('kvm-2')];
    const template = await client.make('/vm-templates', {
      name: 'wandering',
      template: {
        CPU: 0.2,
        MEMORY: 96,
        OS: os,
        CONTEXT: { SET_HOSTNAME: '$NAME', START_SCRIPT: 'echo "it is $SET_HOSTNAME"' },
      },
    });
    const { id: made, resource: vm } = await client.accepted('POST', '/vms', {
      template_id: template,
      name: 'wanderer',
      hold: true,
    });
    await client.awaitOperation(made, 'succeeded');
    await client.accepted('POST', `/vms/${vm.id}/deploy`, { host: from });
    await eventually(async () => (await said(vm.id)).includes('it is wanderer'));

    // First its libvirtd alone: it is asked over ssh which guests it has still.
    host.stop();
    await eventually(async () => (await cluster.store.hosts.find(from))?.state === 'ERROR');
    const { id: op } = await client.accepted('POST', `/hosts/${from}/failover`, {});
    const { waiting_for } = await client.awaitOperation(op, 'waiting');
    const alive = [...(await vmsNow()).filter((one) => one.role_name === 'web'), vm].map(({ id }) => `VM ${id}`);
    for (const guest of alive) expect(waiting_for).toContain(guest);
    expect(waiting_for).toContain('guests of it are seen to run');
    for (const pid of host.guests()) process.kill(pid, 'SIGKILL');
    expect((await client.vm(vm.id)).host?.id).toBe(from);
    expect((await client.send('POST', `/hosts/${from}/fenced`)).status).toBe(200);
    await client.awaitOperation(op, 'succeeded');
    expect(await client.vm(vm.id)).toMatchObject({ lcm_state: 'RUNNING', host: { id: to } });
    // Its console is of the host where it boots anew.
    const own = join(hosts[0]?.pool ?? '', `${await installation()}.${vm.id}.log`);
    await eventually(() => existsSync(own) && readFileSync(own, 'utf8').includes('it is wanderer'));
    const webs = (await vmsNow()).filter((one) => one.role_name === 'web');
    expect(webs.map(({ state }) => state)).toEqual(['PENDING', 'PENDING']);

    await host.begin();
    for (const { id, name } of webs) {
      await client.awaitVm(id, ({ lcm_state }) => lcm_state === 'RUNNING');
      // One that boots still does not hear that it is to shut down.
      await eventually(async () => (await said(id)).includes(`it's ${name}, of `));
    }
    await client.awaitService(service, 'RUNNING');
    const { id } = await client.accepted('POST', `/vms/${vm.id}/terminate`, { hard: true });
    await client.awaitOperation(id, 'succeeded');
  });

  it('is undeployed, and nothing is left of it', async () => {
    const [vm] = await vmsNow();
    const closed = once(screen, 'close');
    // Hard: not all of them hear that they are to shut down; runtime/start-libvirt waits for those that do.
    await cluster.client.accepted('POST', `/services/${service}/undeploy`, { hard: true });
    await cluster.client.awaitService(service, 'DONE');
    await closed;
    expect((await cluster.client.send('POST', `/vms/${vm?.id}/vnc`)).status).toBe(409);
    for (const host of hosts) {
      expect((await host.virsh('list', '--all', '--name'))?.trim()).toBe('');
      expect(host.guests()).toEqual([]);
    }
    const { id } = await cluster.client.accepted('DELETE', `/images/${kernel}`, {});
    await cluster.client.awaitOperation(id, 'succeeded');
  });

  /** Devices of this machine whose names begin so. */
  const links = (begin: string) =>
    execFileSync('ip', ['-brief', 'link'], { encoding: 'utf8' })
      .split('\n')
      .filter((line) => line.startsWith(begin));

  it.skipIf(process.getuid?.() !== 0)(
    'reaches another guest at the address that was leased to it, and not where it is closed',
    async () => {
      const { client } = cluster;
      // What the groups of both let in is what reaches them.
      const pages = await client.make('/security-groups', {
        name: 'pages',
        rules: [
          { protocol: 'TCP', rule_type: 'inbound', range: '80' },
          { protocol: 'ALL', rule_type: 'outbound' },
        ],
      });
      const network = await client.make('/virtual-networks', {
        ...{ name: 'guests', vn_mad: 'bridge', attributes: { SECURITY_GROUPS: `${pages}` } },
        address_ranges: [{ type: 'IP4', ip: '10.77.0.10', size: 4 }],
      });
      const template = (name: string, ip: string, script: string) =>
        client.make('/vm-templates', {
          name,
          template: {
            ...{ CPU: 0.2, MEMORY: 96, DISK: [{ IMAGE_ID: image }], SCHED_REQUIREMENTS: 'NAME = "kvm-1"' },
            NIC: [{ NETWORK_ID: network, IP: ip }],
            CONTEXT: { NETWORK: 'YES', SET_HOSTNAME: '$NAME', START_SCRIPT: script },
          },
        });
      const [asked, asks] = [
        await template('asked', '10.77.0.10', 'httpd -p 81 -h /www; echo "81 here: $(wget -qO- http://127.0.0.1:81/)"'),
        await template(
          'asks',
          '10.77.0.11',
          'for port in 80 81; do for try in 1 2 3 4 5 6; do timeout 3 wget -qO- http://10.77.0.10:$port/ && break; done; echo "port $port: $?"; done',
        ),
      ];
      const roles = [
        { name: 'asked', vm_template: asked },
        { name: 'asks', vm_template: asks, parents: ['asked'] },
      ];
      const body = { name: 'talk', deployment: 'straight', roles };
      service = await client.instantiate(await client.make('/service-templates', body));
      await client.awaitService(service, 'RUNNING');
      const [first, second] = (await vmsNow()).toSorted((one, other) => one.id - other.id);
      await eventually(async () => (await said(second?.id ?? -1)).includes('port 81: '));
      const heard = await said(second?.id ?? -1);
      expect(heard).toContain(`I am ${first?.name}`);
      expect(heard).toContain('port 80: 0');
      expect(heard).not.toContain('port 81: 0');
      // It is not that nobody would have answered there.
      expect(await said(first?.id ?? -1)).toContain(`81 here: I am ${first?.name}`);
      expect(links('one-')).toHaveLength(2);
      await client.accepted('POST', `/services/${service}/undeploy`, {});
      await client.awaitService(service, 'DONE');
      expect(links('one-')).toEqual([]);
      expect(links('onebr')).toEqual([]);
    },
  );
});
