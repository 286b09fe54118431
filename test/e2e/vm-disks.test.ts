import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { z } from 'zod';
import { ImageResource } from '../../schemas/storage/image.js';
import { ByteServer, madeBytes } from '../support/byte-server.js';
import { Cluster } from '../support/cluster.js';
import { makeHosts } from '../support/cluster-clouds.js';
import { checkConsistency, timesMade } from '../support/cluster-consistency.js';
import { eventually } from '../support/processes.js';
import { commandOf } from '../support/ssh-sessions.js';

const size = 8 * 2 ** 20;
const Layer = z.object({ filename: z.string(), format: z.string(), 'virtual-size': z.number() });

describe('a service whose VMs have disks of images, in datastores of files', () => {
  let cluster: Cluster;
  let source: ByteServer;
  let directory: string;
  let data: number;
  let system: number;
  let service: number;
  /** VMs that were switched off and on. */
  const replaced: number[] = [];
  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'arcus-disks-'));
    source = await ByteServer.serve(madeBytes(size));
    const programs = join(directory, 'bin');
    mkdirSync(programs);
    // As slow as a loaded machine: a worker can be killed while it makes a disk, and while it copies one, which takes eight seconds.
    const real = execFileSync('sh', ['-c', 'command -v qemu-img'], { encoding: 'utf8' }).trim();
    writeFileSync(
      join(programs, 'qemu-img'),
      `#!/bin/sh\nsleep 0.4\n[ "$1" = convert ] && shift && exec ${real} convert -m 1 -r 1M "$@"\nexec ${real} "$@"\n`,
    );
    chmodSync(join(programs, 'qemu-img'), 0o755);
    const storage = {
      ARCUS_DATASTORES: join(directory, 'datastores'),
      ARCUS_SAFE_NETWORKS: '127.0.0.1',
      PATH: `${programs}:${process.env.PATH}`,
    };
    cluster = await Cluster.start({ onServersOfTheRun: true, environments: { worker: storage } });
    await makeHosts(cluster.client, 2);
    system = await image('system', { source: { url: source.url } });
    data = await image('data', { source: { empty: { size_mb: 4 } }, persistent: true, type: 'DATABLOCK' });
  });
  afterAll(async () => {
    await cluster?.stop();
    source?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  async function image(name: string, wish: object): Promise<number> {
    const { id, resource } = await cluster.client.accepted('POST', '/images', { name, type: 'OS', ...wish });
    await cluster.client.awaitOperation(id, 'succeeded');
    return resource.id;
  }
  const used = async (id: number) => {
    const { state, vms } = await cluster.client.ask(ImageResource, 'GET', `/images/${id}`);
    return [state, vms.toSorted((one, other) => one - other)];
  };
  /** Bytes of disks of VMs, by where they lie. */
  const disks = (): string[] =>
    readdirSync(join(directory, 'datastores'), { recursive: true, withFileTypes: true })
      .filter((one) => one.isFile() && one.name === 'disk' && /\/disk\.[^/]+$/.test(one.parentPath))
      .map((one) => join(one.parentPath, one.name));
  const chainOf = (disk: string) =>
    z
      .array(Layer)
      .parse(
        JSON.parse(
          execFileSync('qemu-img', ['info', '-U', '--backing-chain', '--output=json', disk], { encoding: 'utf8' }),
        ),
      );
  /** Processes that copy a disk of this test. */
  const copying = (): number[] =>
    readdirSync('/proc').flatMap((pid) => {
      const command = /^\d+$/.test(pid) ? commandOf(pid) : '';
      return /^\S*qemu-img convert /.test(command) && command.includes(directory) ? [Number(pid)] : [];
    });
  const vmsNow = () => cluster.store.vms.model.find({ 'service.id': service }).lean().exec();

  it('runs with a clone of the system each, and the data themselves, though the worker is killed in the prolog', async () => {
    const template = (extra: object[]) => ({
      CPU: 0.5,
      MEMORY: 64,
      DISK: [{ IMAGE_ID: system, SIZE: 16 }, ...extra],
    });
    const make = (name: string, extra: object[]) =>
      cluster.client.make('/vm-templates', { name, template: template(extra) });
    const [web, db] = [await make('web', []), await make('db', [{ IMAGE_ID: data }])];
    const roles = [
      { name: 'db', vm_template: db },
      { name: 'web', vm_template: web, cardinality: 3, parents: ['db'] },
    ];
    const body = { name: 'shop', deployment: 'straight', roles };
    service = await cluster.client.instantiate(await cluster.client.make('/service-templates', body));
    for (const role of ['db', 'web']) {
      await eventually(async () =>
        (await vmsNow()).some((vm) => vm.service?.role === role && vm.lcm_state === 'PROLOG'),
      );
      await cluster.worker(0).kill();
      expect((await vmsNow()).some((vm) => vm.service?.role === role && vm.lcm_state === 'PROLOG')).toBe(true);
      await cluster.worker(0).startAgain();
    }
    await cluster.client.awaitService(service, 'RUNNING');
    const vms = await cluster.client.vmsOf(service);
    const ids = vms.map(({ id }) => id).sort((one, other) => one - other);
    expect(await used(system)).toEqual(['USED', ids]);
    expect(await used(data)).toEqual(['USED_PERS', [vms.find(({ role_name }) => role_name === 'db')?.id]]);
    const made = await timesMade(cluster);
    for (const id of ids) expect(made.get(id), `VM ${id}`).toBe(1);
    const chains = disks().map(chainOf);
    const clones = chains.filter((chain) => chain.length === 2);
    expect(clones).toHaveLength(4);
    for (const [top] of clones) expect(top).toMatchObject({ format: 'qcow2', 'virtual-size': 2 * size });
    // All of them stand on the one file of the image, of which nothing was copied.
    expect(new Set(clones.map(([, base]) => statSync(base?.filename ?? '').ino)).size).toBe(1);
    expect(await checkConsistency(cluster)).toEqual([]);
  });

  // workflows/vms/save-disk shows the same in npm test.
  if (inject('inEveryWay'))
    it('has a disk of it saved once, and right, though the copying is killed, and the worker', async () => {
      const web = (await cluster.client.vmsOf(service)).find(({ role_name }) => role_name === 'web');
      if (!web) throw new Error('there is a web server');
      const [disk = ''] = disks().filter((path) => path.includes(`/vms/${web.id}/`));
      // A guest has written something.
      execFileSync('qemu-io', ['-f', 'qcow2', '-c', 'write -P 171 1M 1M', disk]);
      const { id: op } = await cluster.client.accepted('POST', `/vms/${web.id}/disks/0/save`, { name: 'saved' });
      const first = await eventually(() => copying()[0]);
      process.kill(first, 'SIGKILL');
      // Another one, which dies with its worker, or is left by it.
      await eventually(() => copying().some((pid) => pid !== first));
      await cluster.worker(0).kill();
      await cluster.worker(0).startAgain();
      await cluster.client.awaitOperation(op, 'succeeded');
      const saved = await cluster.store.images.model.find({ name: 'saved' }).lean().exec();
      expect(saved).toHaveLength(1);
      const [{ _id: id, datastore_id } = { _id: -1, datastore_id: -1 }] = saved;
      const kept = join(directory, 'datastores', String(datastore_id));
      const path = join(kept, 'images', String(id), 'disk');
      expect(chainOf(path)).toHaveLength(1);
      const raw = join(directory, 'raw');
      execFileSync('qemu-img', ['convert', '-O', 'raw', path, raw]);
      const expected = Buffer.concat([madeBytes(size), Buffer.alloc(size)]).fill(171, 2 ** 20, 2 ** 21);
      expect(readFileSync(raw).equals(expected)).toBe(true);
      expect(readdirSync(join(kept, 'staging'))).toEqual([]);
      expect(await cluster.store.vms.model.findById(web.id).lean()).toMatchObject({
        lcm_state: 'RUNNING',
        operation: null,
      });
      expect(await checkConsistency(cluster)).toEqual([]);
      const { id: removal } = await cluster.client.accepted('DELETE', `/images/${id}`);
      await cluster.client.awaitOperation(removal, 'succeeded');
    });

  it('is saved once, and restored with the bytes of then, though the worker is killed in the middle of both', async () => {
    const { client } = cluster;
    const ended = async ({ id }: { id: string }) => client.awaitOperation(id, 'succeeded');
    const template_id = await client.make('/vm-templates', {
      name: 'alone',
      template: { CPU: 0.5, MEMORY: 64, DISK: [{ IMAGE_ID: system }] },
    });
    const made = await client.accepted('POST', '/vms', { template_id });
    await ended(made);
    const { id: vm } = made.resource;
    replaced.push(vm);
    const its = join(directory, 'datastores', '0', 'vms', `${vm}`);
    const disk = join(its, 'disk.0', 'disk');
    const write = (byte: number) => execFileSync('qemu-io', ['-f', 'qcow2', '-c', `write -P ${byte} 0 64k`, disk]);
    const seen = (path = disk): string => {
      const raw = join(directory, 'raw');
      execFileSync('qemu-img', ['convert', '-O', 'raw', path, raw]);
      return createHash('sha256').update(readFileSync(raw)).digest('hex');
    };
    const killedWhen = async (isSo: () => Promise<boolean>) => {
      await eventually(isSo);
      await cluster.worker(0).kill();
      const before = seen();
      await cluster.worker(0).startAgain();
      return before;
    };
    write(1);
    const then = seen();
    const save = await client.accepted('POST', `/vms/${vm}/disks/0/save`, { name: 'backup' });
    await killedWhen(async () => (await cluster.store.vms.find(vm))?.lcm_state === 'HOTPLUG_SAVEAS');
    await ended(save);
    const backup = (await cluster.store.images.named('backup', 0))?._id ?? -1;
    expect(await used(backup)).toEqual(['READY', []]);
    expect(seen(join(directory, 'datastores', '1', 'images', `${backup}`, 'disk'))).toBe(then);
    write(2);
    const now = seen();
    await ended(await client.accepted('POST', `/vms/${vm}/actions`, { action: 'poweroff' }));
    const restore = await client.accepted('POST', `/vms/${vm}/disks/0/restore`, { image_id: backup });
    const isBeside = async () => readdirSync(its).some((name) => name.startsWith('work.'));
    expect(await killedWhen(isBeside)).toBe(now);
    await ended(restore);
    expect(seen()).toBe(then);
    expect(chainOf(disk)).toHaveLength(1);
    expect(readdirSync(its).filter((name) => !name.startsWith('at.'))).toEqual(['disk.0']);
    await ended(await client.accepted('POST', `/vms/${vm}/resume`, {}));
    expect(seen()).toBe(then);
    await ended(await client.accepted('POST', `/vms/${vm}/terminate`, { hard: true }));
    await ended(await client.accepted('DELETE', `/images/${backup}`));
    expect(await checkConsistency(cluster, { replaced })).toEqual([]);
  });

  it('leaves no disk and no use when it is undeployed, though the worker is killed in the epilog', async () => {
    await cluster.client.accepted('POST', `/services/${service}/undeploy`, {});
    await eventually(async () =>
      (await vmsNow()).some(({ state, lcm_state }) => lcm_state === 'EPILOG' || state === 'DONE'),
    );
    await cluster.worker(0).kill();
    await cluster.worker(0).startAgain();
    await cluster.client.awaitService(service, 'DONE');
    expect(disks()).toEqual([]);
    expect([await used(system), await used(data)]).toEqual([
      ['READY', []],
      ['READY', []],
    ]);
    expect(await checkConsistency(cluster, { replaced })).toEqual([]);
    for (const id of [system, data]) {
      const { id: op } = await cluster.client.accepted('DELETE', `/images/${id}`);
      await cluster.client.awaitOperation(op, 'succeeded');
    }
  });
});
