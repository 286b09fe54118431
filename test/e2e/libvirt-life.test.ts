import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HostResource } from '../../schemas/hosts/host.js';
import { runArcus } from '../cli/run-arcus.js';
import { Cluster, credentials } from '../support/cluster.js';
import { FrozenPrograms } from '../support/frozen-programs.js';
import { isLibvirtMissing, LibvirtHost } from '../support/libvirt-hosts.js';
import { eventually } from '../support/processes.js';
import { tinyGuest } from '../support/tiny-guest.js';

/** What is in the guest’s first disk of its own, at its start, and from then on every second what it has counted; and what comes and goes. */
const script = [
  'head -c 8 /dev/vdb 2>/dev/null | sed "s/^/vdb was: /"; echo',
  'k=0; while :; do k=$((k+1)); [ -b /dev/vdb ] && printf "n%-7d" $k | dd of=/dev/vdb conv=notrunc,fsync 2>/dev/null',
  'now=$(cat /sys/block/vd?/size /sys/class/net/*/address 2>/dev/null | tr "\\n" " ")',
  '[ "$now" = "$last" ] || { last=$now; echo "has: $now"; }; echo "wrote $k"; sleep 1; done &',
].join('; ');

describe.skipIf(isLibvirtMissing())('the life of real guests, on two hosts of libvirt', { timeout: 900_000 }, () => {
  let cluster: Cluster;
  let directory: string;
  let programs: FrozenPrograms;
  let near: LibvirtHost;
  let far: LibvirtHost;
  const ids = new Map<LibvirtHost, number>();
  let template: number;
  let vm: number;
  const both = () => [near, far];
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'arcus-life-'));
    const guest = tinyGuest();
    programs = new FrozenPrograms(directory, 'virsh', 'qemu-img');
    const environment = {
      ARCUS_DATASTORES: join(directory, 'datastores'),
      ARCUS_SAFE_DIRS: [join(guest, '..'), directory].join(','),
      PATH: programs.path,
    };
    cluster = await Cluster.start({ onServersOfTheRun: true, environments: { worker: environment, api: environment } });
    const size = { cpu: 800, memory: 4_096 };
    [near, far] = [
      await LibvirtHost.machine('kvm-1', size, { ownNetwork: false }),
      await LibvirtHost.machine('kvm-2', size, { ownNetwork: false }),
    ];
    for (const host of both()) {
      const { name, pool, uri } = host;
      const libvirt = { uri, virt_type: 'qemu', directory: pool, address: '127.0.0.1' };
      ids.set(host, await cluster.client.make('/hosts', { name, vm_mad: 'libvirt', cpu: 8, memory: 4_096, libvirt }));
    }
    const made = await cluster.client.accepted('POST', '/images', {
      name: 'tiny',
      type: 'OS',
      source: { path: guest },
    });
    await cluster.client.awaitOperation(made.id, 'succeeded');
    template = await cluster.client.make('/vm-templates', {
      name: 'tiny',
      template: {
        ...{ CPU: 0.2, MEMORY: 96, DISK: [{ IMAGE_ID: made.resource.id }] },
        CONTEXT: { SET_HOSTNAME: '$NAME', START_SCRIPT: script },
      },
    });
  });
  afterAll(async () => {
    await cluster?.stop();
    near?.close();
    far?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  const idOf = (host: LibvirtHost): number => ids.get(host) ?? -1;
  const installation = async () => await cluster.store.installation.id();
  /** What the guest of a VM has said on a host. */
  const said = async (id: number, host = near): Promise<string> => {
    const file = join(host.pool, `${await installation()}.${id}.log`);
    return existsSync(file) ? readFileSync(file, 'utf8') : '';
  };
  const numbers = (text: string, word: string): number[] =>
    [...text.matchAll(new RegExp(`${word} (\\d+)`, 'g'))].map(([, number]) => Number(number));
  const counts = async (id: number, host = near) => numbers(await said(id, host), 'count');
  const last = async (id: number, host = near): Promise<number> => (await counts(id, host)).at(-1) ?? 0;
  /** It counts on. */
  async function counted(id: number, host = near, more = 2): Promise<number> {
    const before = (await counts(id, host)).length;
    await eventually(async () => (await counts(id, host)).length >= before + more);
    return last(id, host);
  }
  const ups = async (id: number, host = near): Promise<number> => (await said(id, host)).split('guest: up ').length - 1;
  async function done(...request: Parameters<Cluster['client']['accepted']>): Promise<void> {
    const { id } = await cluster.client.accepted(...request);
    await cluster.client.awaitOperation(id, 'succeeded');
  }
  const act = (id: number, action: string, more: object = {}) =>
    done('POST', `/vms/${id}/actions`, { action, ...more });
  const resume = (id: number) => done('POST', `/vms/${id}/resume`);
  const terminate = (id: number) => done('POST', `/vms/${id}/terminate`, { hard: true });
  /** One on a host, whose guest counts. */
  async function begun(name: string, host = near): Promise<number> {
    const { id, resource } = await cluster.client.accepted('POST', '/vms', { template_id: template, name, hold: true });
    await cluster.client.awaitOperation(id, 'succeeded');
    await done('POST', `/vms/${resource.id}/deploy`, { host: idOf(host) });
    await counted(resource.id, host);
    return resource.id;
  }
  /** All domains of both hosts. */
  const domains = async (): Promise<string[]> =>
    (await Promise.all(both().map((host) => host.virsh('list', '--all', '--uuid'))))
      .flatMap((text) => (text ?? '').split('\n'))
      .filter((line) => line.trim() !== '');
  /** Processes of this world that have libvirt do this. */
  const virshes = (command: string): number[] =>
    execFileSync('ps', ['-eo', 'pid,args'], { encoding: 'utf8' })
      .split('\n')
      .filter((line) => line.includes(`virsh --connect ${near.uri}`) && line.includes(` ${command} `))
      .map((line) => Number.parseInt(line.trim(), 10));
  const guests = () => both().flatMap((host) => host.guests());
  const files = (pattern: RegExp): string[] =>
    readdirSync(join(directory, 'datastores'), { recursive: true, encoding: 'utf8' }).filter((name) =>
      pattern.test(name),
    );
  /** Of disks of VMs. */
  const disks = () => files(/vms\/\d+\/disk\.\d+\/disk$/);
  it('begins, is switched off, suspended, rebooted and resumed, and does what it is told', async () => {
    vm = await begun('one');
    const booted = await ups(vm);
    await act(vm, 'suspend');
    expect(guests()).toEqual([]);
    const saved = await last(vm);
    await resume(vm);
    // It goes on from there, and has not booted again.
    expect(await counted(vm)).toBeGreaterThan(saved);
    expect(await ups(vm)).toBe(booted);
    await act(vm, 'reboot-hard');
    await eventually(async () => (await ups(vm)) > booted);
    await counted(vm);
    await act(vm, 'reboot');
    await eventually(async () => (await ups(vm)) > booted + 1);
    await counted(vm);
    await act(vm, 'poweroff');
    expect(await said(vm)).toContain('guest: power button');
    expect(guests()).toEqual([]);
    expect(await domains()).toHaveLength(1);
    await resume(vm);
    await eventually(async () => (await ups(vm)) > booted + 2);
    await counted(vm);
  });

  it('counts on from a snapshot that it is reverted to, as often as it is', async () => {
    await act(vm, 'snapshot-create', { name: 'before' });
    const then = await last(vm);
    const booted = await ups(vm);
    for (const _ of ['once', 'again']) {
      const beyond = await counted(vm, near, 6);
      const already = (await counts(vm)).length;
      await act(vm, 'snapshot-revert', { snapshot: 0 });
      await counted(vm, near, 2);
      const [first = 0] = (await counts(vm)).slice(already).filter((count) => count < beyond);
      expect(first).toBeGreaterThanOrEqual(then);
      expect(first).toBeLessThanOrEqual(then + 2);
    }
    expect(await ups(vm)).toBe(booted);
    await act(vm, 'snapshot-delete', { snapshot: 0 });
    expect((await cluster.client.vm(vm)).snapshots).toEqual([]);
    const file = join(directory, 'datastores', disks()[0] ?? '');
    const info = JSON.parse(execFileSync('qemu-img', ['info', '-U', '--output=json', file], { encoding: 'utf8' }));
    expect(info.snapshots ?? []).toEqual([]);
  });

  it('finds disks and NICs that come, grow and go', async () => {
    const sees = async () => (await said(vm)).split('has: ').at(-1)?.split('\r')[0]?.trim().split(' ') ?? [];
    const before = await sees();
    await done('POST', `/vms/${vm}/disks`, { type: 'fs', size: 16, format: 'qcow2' });
    await eventually(async () => (await sees()).includes(String(16 * 2_048)));
    await done('POST', `/vms/${vm}/disks/1/resize`, { size: 32 });
    await eventually(async () => (await sees()).includes(String(32 * 2_048)));
    const network = await cluster.client.make('/virtual-networks', {
      ...{ name: 'guests', vn_mad: 'bridge' },
      address_ranges: [{ type: 'IP4', ip: '10.78.0.10', size: 4 }],
    });
    await done('POST', `/vms/${vm}/nics`, { network });
    const [nic] = (await cluster.client.vm(vm)).nics;
    await eventually(async () => (await sees()).includes(nic?.mac ?? ''));
    await done('POST', `/vms/${vm}/nics/${nic?.nic_id}/detach`);
    await eventually(async () => (await sees()).length === before.length + 1);
  });

  it('has a disk that is again what it was when a snapshot of it was taken while it ran', async () => {
    const wrote = async () => numbers(await said(vm), 'wrote').at(-1) ?? 0;
    await counted(vm);
    const then = await wrote();
    await done('POST', `/vms/${vm}/disks/1/snapshots`, { name: 'early' });
    await counted(vm, near, 6);
    const later = await wrote();
    await act(vm, 'poweroff-hard');
    await done('POST', `/vms/${vm}/disks/1/snapshots/0/revert`);
    const booted = await ups(vm);
    await resume(vm);
    await eventually(async () => (await ups(vm)) > booted);
    await counted(vm);
    const [, found = ''] = /n(\d+)/.exec((await said(vm)).split('vdb was: ').at(-1) ?? '') ?? [];
    expect(Number(found)).toBeGreaterThanOrEqual(then);
    expect(Number(found)).toBeLessThan(later);
    await done('POST', `/vms/${vm}/disks/1/detach`);
    expect(disks()).toHaveLength(1);
  });

  it('is migrated while it counts, though the worker and its virsh are killed in the midst of it', async () => {
    const booted = await ups(vm);
    const { id } = await cluster.client.accepted('POST', `/vms/${vm}/migrate`, { host: idOf(far), live: true });
    await eventually(async () => (await far.virsh('list', '--all', '--name'))?.includes(`one-${vm}-`));
    await cluster.worker(0).kill();
    for (const pid of virshes('migrate')) process.kill(pid, 'SIGKILL');
    const before = await last(vm);
    await cluster.worker(0).startAgain();
    await cluster.client.awaitOperation(id, 'succeeded');
    await eventually(async () => (await last(vm, far)) > before);
    expect(await ups(vm)).toBe(booted);
    expect(await ups(vm, far)).toBe(0);
    expect(await domains()).toHaveLength(1);
    expect([near.guests(), far.guests()]).toEqual([[], [expect.any(Number)]]);
    expect(disks()).toHaveLength(1);
    await done('POST', `/vms/${vm}/migrate`, { host: idOf(near), live: true });
    expect(await counted(vm)).toBeGreaterThan(before);
  });

  it('is stopped, and goes on on another host from what it had in memory', async () => {
    const booted = await ups(vm);
    await act(vm, 'stop');
    expect(await cluster.client.vm(vm)).toMatchObject({ state: 'STOPPED' });
    expect([guests(), await domains()]).toEqual([[], []]);
    const memories = () => files(/vms\/\d+\/memory\.\d+$/);
    expect(memories()).toHaveLength(1);
    const before = await last(vm);
    await done('POST', `/vms/${vm}/deploy`, { host: idOf(far) });
    await eventually(async () => (await last(vm, far)) > before);
    expect(await ups(vm)).toBe(booted);
    expect(await ups(vm, far)).toBe(0);
    expect(memories()).toEqual([]);
    await act(vm, 'stop');
    await resume(vm);
    const there = (await cluster.client.vm(vm)).host?.id === idOf(far) ? far : near;
    await counted(vm, there);
    if (there === far) await done('POST', `/vms/${vm}/migrate`, { host: idOf(near), live: true });
    expect(await counted(vm)).toBeGreaterThan(before);
    expect(await domains()).toHaveLength(1);
  });

  it.each([
    ['while its disk is made', 'create'],
    ['while it is started', 'start'],
  ])('is one guest with one disk, though the worker is killed %s', async (_when, command) => {
    const { reached, thaw } = programs.freeze(command);
    const { id, resource } = await cluster.client.accepted('POST', '/vms', { template_id: template, name: command });
    await reached();
    await cluster.worker(0).kill();
    await cluster.worker(0).startAgain();
    // What the dead one has begun comes late.
    await eventually(async () => (await cluster.client.vm(resource.id)).lcm_state === 'RUNNING');
    await thaw();
    await cluster.client.awaitOperation(id, 'succeeded');
    expect(await domains()).toHaveLength(2);
    expect(guests()).toHaveLength(2);
    expect(disks()).toHaveLength(2);
    await terminate(resource.id);
    expect(disks()).toHaveLength(1);
  });

  it('is one guest, though libvirt and its guests die while it is started', async () => {
    const { reached, thaw } = programs.freeze('define');
    const { id, resource } = await cluster.client.accepted('POST', '/vms', {
      ...{ template_id: template, name: 'later', hold: true },
    });
    await cluster.client.awaitOperation(id, 'succeeded');
    const { id: op } = await cluster.client.accepted('POST', `/vms/${resource.id}/deploy`, { host: idOf(near) });
    await reached();
    near.stop();
    for (const pid of near.guests()) process.kill(pid, 'SIGKILL');
    await thaw();
    const why = async () => (await cluster.client.send('GET', `/operations/${op}/why`)).body;
    await eventually(async () => JSON.stringify(await why()).includes('cannot be reached'));
    await near.begin();
    await cluster.client.awaitOperation(op, 'succeeded');
    await counted(resource.id);
    expect(near.guests()).toHaveLength(1);
    // Of the other one it is seen that its guest has crashed.
    await cluster.client.awaitVm(vm, ({ lcm_state }) => lcm_state === 'UNKNOWN');
    await resume(vm);
    await counted(vm);
    expect(await domains()).toHaveLength(2);
    await terminate(resource.id);
  });

  it('is removed as a zombie where it was, once it runs elsewhere', async () => {
    const there = await begun('wanderer', far);
    far.stop();
    await eventually(async () => (await cluster.store.hosts.find(idOf(far)))?.state === 'ERROR');
    await cluster.client.send('PATCH', `/hosts/${idOf(far)}`, { state: 'offline' });
    await done('POST', `/vms/${there}/recover`, { action: 'recreate' });
    expect((await cluster.client.vm(there)).host?.id).toBe(idOf(near));
    await counted(there);
    expect(far.guests()).toHaveLength(1);
    await far.begin();
    await cluster.client.send('PATCH', `/hosts/${idOf(far)}`, { state: 'enabled' });
    await eventually(async () => (await far.virsh('list', '--all', '--name'))?.trim() === '');
    expect(far.guests()).toEqual([]);
    await counted(there);
    await terminate(there);
  });

  it('was somebody else’s, and is imported, switched, kept and ended as any other', async () => {
    const file = join(directory, 'legacy.qcow2');
    cpSync(tinyGuest(), file);
    const xml = join(directory, 'legacy.xml');
    writeFileSync(
      xml,
      `<domain type='qemu'><name>legacy-db</name><title>of the old days</title><memory unit='MiB'>96</memory><vcpu>1</vcpu>
<os><type arch='x86_64'>hvm</type></os><features><acpi/></features>
<devices><disk type='file' device='disk'><driver name='qemu' type='qcow2'/><source file='${file}'/><target dev='vda' bus='virtio'/></disk>
<serial type='pty'><log file='${directory}/legacy.log' append='on'/><target port='0'/></serial></devices></domain>`,
    );
    await near.virsh('define', xml);
    await near.virsh('start', 'legacy-db');
    const told = () => (existsSync(`${directory}/legacy.log`) ? readFileSync(`${directory}/legacy.log`, 'utf8') : '');
    const count = () => numbers(told(), 'count').length;
    await eventually(() => count() > 2);
    const seen = () => cluster.client.ask(HostResource, 'GET', `/hosts/${idOf(near)}`);
    await eventually(async () => (await seen()).wilds.items.some(({ name }) => name === 'legacy-db'));
    const { code, out, err } = await runArcus(['host', 'import', 'kvm-1', 'legacy-db', '--wait'], {
      ...{ ARCUS_ENDPOINT: cluster.client.url, ARCUS_HOME: '' },
      ARCUS_AUTH: `${credentials.name}:${credentials.password}`,
    });
    expect(code, out + err).toBe(0);
    const [wild] = await cluster.store.vms.model.find({ name: 'legacy-db' }).lean().exec();
    const id = wild?._id ?? -1;
    expect(await cluster.client.vm(id)).toMatchObject({ lcm_state: 'RUNNING', host: { id: idOf(near) } });
    const pid = near.guests();
    await act(id, 'snapshot-create', { name: 'as it was' });
    const then = numbers(told(), 'count').at(-1) ?? 0;
    await eventually(() => (numbers(told(), 'count').at(-1) ?? 0) > then + 4);
    await act(id, 'snapshot-revert', { snapshot: 0 });
    await eventually(() => (numbers(told(), 'count').at(-1) ?? 0) <= then + 3);
    await act(id, 'suspend');
    await resume(id);
    await act(id, 'poweroff-hard');
    const before = count();
    await resume(id);
    await eventually(() => count() > before);
    expect(pid.length).toBeGreaterThan(0);
    for (const action of ['stop', 'undeploy'])
      expect((await cluster.client.send('POST', `/vms/${id}/actions`, { action })).status).toBe(409);
    await terminate(id);
    expect(await near.virsh('list', '--all', '--name')).not.toContain('legacy-db');
    // Its disk is nobody’s but its owner’s.
    expect(existsSync(file)).toBe(true);
  });

  it('is one of a service that is scaled out and in; then nothing is left', async () => {
    const { client } = cluster;
    const roles = [{ name: 'web', vm_template: template, cardinality: 1 }];
    const service = await client.instantiate(
      await client.make('/service-templates', { name: 'shop', deployment: 'straight', roles }),
    );
    await client.awaitService(service, 'RUNNING');
    for (const cardinality of [3, 1]) {
      // Also while it cools down.
      await done('POST', `/services/${service}/roles/web/scale`, { cardinality, force: true });
      const vms = await client.vmsOf(service);
      expect(vms).toHaveLength(cardinality);
      for (const { id, host } of vms) await counted(id, host?.name === 'kvm-2' ? far : near);
      expect(guests()).toHaveLength(cardinality + 1);
    }
    await done('POST', `/services/${service}/undeploy`, {});
    await terminate(vm);
    expect(await domains()).toEqual([]);
    expect(guests()).toEqual([]);
    expect(disks()).toEqual([]);
    for (const { pool } of both()) expect(readdirSync(pool).filter((name) => !/\.(log|heard)$/.test(name))).toEqual([]);
  });
});
