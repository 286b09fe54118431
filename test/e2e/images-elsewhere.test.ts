import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { ConsistencyCheckResource } from '../../schemas/consistency/consistency.js';
import { HostResource } from '../../schemas/hosts/host.js';
import { ImageResource } from '../../schemas/storage/image.js';
import type { ImageCopy } from '../../schemas/storage/image-copy.js';
import { VmResource } from '../../schemas/vms/vm.js';
import { runArcus } from '../cli/run-arcus.js';
import { ByteServer, madeBytes, sha256Of } from '../support/byte-server.js';
import { Cluster, credentials } from '../support/cluster.js';
import { checkConsistency, timesMade } from '../support/cluster-consistency.js';
import { eventually } from '../support/processes.js';
import { SeaweedFs, s3Bucket, s3Keys } from '../support/seaweedfs.js';
import { SlowWay } from '../support/slow-way.js';
import { Sshd } from '../support/sshd.js';

const mebi = 2 ** 20;
const size = 24 * mebi;

describe('VMs whose images lie elsewhere than their disks', () => {
  let cluster: Cluster;
  let server: Sshd;
  let way: SlowWay;
  let bucket: SeaweedFs;
  let source: ByteServer;
  const directory = mkdtempSync(join(tmpdir(), 'arcus-elsewhere-'));
  const [here, there] = [join(directory, 'here'), join(directory, 'there')];
  const bytes = madeBytes(size);
  /** Datastores: a bucket; one for VMs on another machine, with the cluster of the hosts that reach it. */
  let inS3: number;
  let far: number;
  let farCluster: number;
  let local: number;
  beforeAll(async () => {
    [server, source, bucket] = await Promise.all([Sshd.start(), ByteServer.serve(bytes), SeaweedFs.start()]);
    way = await SlowWay.to(server.port);
    const storage = { ARCUS_DATASTORES: here };
    cluster = await Cluster.start({
      onServersOfTheRun: true,
      environments: { api: storage, worker: { ...storage, ARCUS_SAFE_NETWORKS: '127.0.0.1' } },
    });
    const { client } = cluster;
    inS3 = await client.make('/datastores', {
      ...{ name: 'bucket', ds_mad: 's3' },
      s3: { bucket: s3Bucket, endpoint: bucket.endpoint, force_path_style: true, ...s3Keys },
    });
    farCluster = await client.make('/clusters', { name: 'far' });
    far = await client.make('/datastores', {
      ...{ name: 'far', ds_mad: 'ssh', type: 'system', cluster_ids: [farCluster] },
      ssh: {
        ...{ host: '127.0.0.1', port: way.port, user: userInfo().username, directory: there },
        ...{ host_keys: [server.hostKey()], private_key: server.privateKey() },
      },
    });
    const near = await client.make('/hosts', { name: 'near', cpu: 8, memory: 16_384 });
    const remote = await client.make('/hosts', { name: 'remote', cpu: 8, memory: 16_384, cluster_id: farCluster });
    for (const id of [near, remote])
      await eventually(async () => (await client.ask(HostResource, 'GET', `/hosts/${id}`)).state === 'MONITORED');
    local = await image({ name: 'local', source: { url: source.url } });
  });
  afterAll(async () => {
    await cluster?.stop();
    way?.stop();
    source?.stop();
    await Promise.all([server?.stop(), bucket?.stop()]);
    rmSync(directory, { recursive: true, force: true });
  });

  async function image(wish: object): Promise<number> {
    const { id, resource } = await cluster.client.accepted('POST', '/images', wish);
    await cluster.client.awaitOperation(id, 'succeeded');
    return resource.id;
  }
  const arcus = async (...words: string[]): Promise<string> => {
    const environment = {
      ...{ ARCUS_HOME: cluster.directory, ARCUS_ENDPOINT: cluster.client.url },
      ARCUS_AUTH: `${credentials.name}:${credentials.password}`,
    };
    const result = await runArcus(words, environment);
    expect(result, words.join(' ')).toMatchObject({ code: 0 });
    return result.out;
  };
  /** Makes a VM of an image, in a cluster; returns its operation and itself. */
  async function vmOf(of: number, at: number): Promise<{ op: string; vm: number }> {
    const template_id = await cluster.client.make('/vm-templates', {
      name: crypto.randomUUID(),
      template: { CPU: 0.1, MEMORY: 64, DISK: [{ IMAGE_ID: of }], SCHED_REQUIREMENTS: `CLUSTER_ID = ${at}` },
    });
    const { id: op, resource } = await cluster.client.accepted('POST', '/vms', { template_id });
    return { op, vm: resource.id };
  }
  const runs = ({ op }: { op: string }) => cluster.client.awaitOperation(op, 'succeeded');
  const end = async (vm: number): Promise<void> => {
    const { id } = await cluster.client.accepted('POST', `/vms/${vm}/terminate`, { hard: true });
    await cluster.client.awaitOperation(id, 'succeeded');
  };
  const diskOf = (vm: number, root: string): string => join(root, 'vms', `${vm}`, 'disk.0', 'disk');
  /** What a guest sees of a disk. */
  const contentOf = (disk: string): string => {
    const raw = join(directory, 'raw');
    execFileSync('qemu-img', ['convert', '-U', '-O', 'raw', disk, raw]);
    return sha256Of(readFileSync(raw));
  };
  const filesIn = (path: string): string[] =>
    existsSync(path)
      ? readdirSync(path, { recursive: true, withFileTypes: true }).flatMap((one) =>
          one.isFile() && !/^at\.\d+$/.test(one.name) ? [join(one.parentPath, one.name)] : [],
        )
      : [];
  const copies = (): Promise<ImageCopy[]> => cluster.store.imageCopies.model.find().lean<ImageCopy[]>().exec();
  const begun = async (id: number): Promise<number> => (await cluster.store.images.find(id))?.copied ?? 0;
  const remove = async (id: number): Promise<void> => {
    const { id: op } = await cluster.client.accepted('DELETE', `/images/${id}`);
    await cluster.client.awaitOperation(op, 'succeeded');
  };
  async function fsck(): Promise<unknown> {
    const { id } = await cluster.client.accepted('POST', '/consistency-checks', { repair: false });
    await cluster.client.awaitOperation(id, 'succeeded');
    return (await cluster.client.ask(ConsistencyCheckResource, 'GET', `/consistency-checks/${id}`)).findings;
  }

  it('has what a bucket has brought to its datastore, once for all VMs, and none of it is left behind the image', async () => {
    const packed = await image({ name: 'packed', datastore_id: inS3, source: { url: source.url } });
    const all = await Promise.all([vmOf(packed, 0), vmOf(packed, 0), vmOf(packed, 0)]);
    await Promise.all(all.map(runs));
    for (const { vm } of all) expect(contentOf(diskOf(vm, join(here, '0')))).toBe(sha256Of(bytes));
    expect(await begun(packed)).toBe(1);
    expect(await copies()).toMatchObject([{ image: packed, datastore_id: 0, state: 'READY', size_mb: 24 }]);
    expect(await arcus('image', 'show', 'packed')).toMatch(/COPIES\s*: datastore 0 \(24M\)/);
    expect(await cluster.client.ask(ImageResource, 'GET', `/images/${packed}`)).toMatchObject({
      copies: [{ datastore_id: 0, state: 'READY', size_mb: 24 }],
    });
    expect(await fsck()).toEqual([]);
    for (const { vm } of all) await end(vm);
    // It stays for the next one.
    const next = await vmOf(packed, 0);
    await runs(next);
    expect(await begun(packed)).toBe(1);
    await end(next.vm);
    await remove(packed);
    expect(await copies()).toEqual([]);
    expect(filesIn(join(here, '0'))).toEqual([]);
  });

  it('has an image brought once for two hundred VMs of a role, whose disks all stand on that copy', async () => {
    const { client } = cluster;
    const packed = await image({ name: 'for many', datastore_id: inS3, source: { url: source.url } });
    const template = { CPU: 0.02, MEMORY: 64, DISK: [{ IMAGE_ID: packed }], SCHED_REQUIREMENTS: 'CLUSTER_ID = 0' };
    const vm_template = await client.make('/vm-templates', { name: 'one of many', template });
    const roles = [{ name: 'web', cardinality: 200, vm_template }];
    const service = await client.instantiate(await client.make('/service-templates', { name: 'many', roles }));
    await client.awaitService(service, 'RUNNING');
    expect(await begun(packed)).toBe(1);
    const root = join(here, '0');
    const backing = (await client.vmsOf(service)).map(({ id }) => {
      const told = execFileSync('qemu-img', ['info', '-U', '--output=json', diskOf(id, root)], { encoding: 'utf8' });
      const { 'full-backing-filename': path } = z
        .object({ 'full-backing-filename': z.string() })
        .parse(JSON.parse(told));
      return realpathSync(path);
    });
    expect(backing).toHaveLength(200);
    expect(new Set(backing).size).toBe(1);
    expect(contentOf(backing[0] ?? '')).toBe(sha256Of(bytes));
    await client.accepted('POST', `/services/${service}/undeploy`, { hard: true });
    await client.awaitService(service, 'DONE');
    expect(filesIn(root).filter((path) => path.includes('/vms/'))).toEqual([]);
    await remove(packed);
    expect(filesIn(root)).toEqual([]);
  });

  it('has an image brought to another machine though the worker is killed in the midst, which goes on', async () => {
    way.pause = 25;
    const sent = way.sent;
    const [one, other] = await Promise.all([vmOf(local, farCluster), vmOf(local, farCluster)]);
    const coming = await eventually(async () => {
      const [copy] = await copies();
      return copy?.summed && copy.summed.bytes > size / 4 ? copy : undefined;
    });
    expect(coming).toMatchObject({ image: local, datastore_id: far, state: 'COMING' });
    expect(JSON.stringify((await cluster.client.send('GET', `/vms/${one.vm}/why`)).body)).toMatch(
      new RegExp(`image ${local} is brought to datastore ${far}: \\d+ %`),
    );
    await cluster.worker(0).kill();
    await cluster.worker(0).startAgain();
    await eventually(async () => (await copies())[0]?.epoch !== coming.epoch);
    way.pause = 0;
    await Promise.all([one, other].map(runs));
    for (const { vm } of [one, other]) expect(contentOf(diskOf(vm, join(there, `${far}`)))).toBe(sha256Of(bytes));
    // It went on behind what lay there: nothing was sent twice but what came after the last note of it.
    expect(way.sent - sent).toBeLessThan(1.75 * size);
    expect(await copies()).toMatchObject([{ state: 'READY', of: coming.of }]);
    const made = await timesMade(cluster);
    for (const { vm } of [one, other]) expect(made.get(vm)).toBe(1);
    expect(filesIn(join(there, `${far}`)).filter((path) => /staging|gone|work/.test(path))).toEqual([]);
    expect(await checkConsistency(cluster)).toEqual([]);
    expect(await fsck()).toEqual([]);
    for (const { vm } of [one, other]) await end(vm);
    const { id } = await cluster.client.accepted('POST', `/images/${local}/clone`, { name: 'as local' });
    await cluster.client.awaitOperation(id, 'succeeded');
    await remove(local);
    expect(await copies()).toEqual([]);
    expect(filesIn(join(there, `${far}`))).toEqual([]);
  });

  it('leaves nothing when its VM is ended in the midst', async () => {
    const image2 = (await cluster.store.images.model.findOne({ name: 'as local' }).lean().exec())?._id ?? -1;
    way.pause = 25;
    const { op, vm } = await vmOf(image2, farCluster);
    await eventually(async () => ((await copies())[0]?.moved.done ?? 0) > size / 4);
    await end(vm);
    expect(await cluster.client.awaitOperation(op, 'cancelled')).toBeDefined();
    way.pause = 0;
    expect(await cluster.client.ask(VmResource, 'GET', `/vms/${vm}`)).toMatchObject({ state: 'DONE' });
    expect(await copies()).toEqual([]);
    expect(filesIn(join(there, `${far}`))).toEqual([]);
    expect(await fsck()).toEqual([]);
  });

  it('waits, and says why, where its image is persistent and used where it lies', async () => {
    const data = await image({
      ...{ name: 'data', type: 'DATABLOCK', persistent: true },
      source: { empty: { size_mb: 2 } },
    });
    const { vm } = await vmOf(data, farCluster);
    const why = () => cluster.client.send('GET', `/vms/${vm}/why`);
    await eventually(async () =>
      JSON.stringify((await why()).body).includes(
        `datastore ${far} lies elsewhere than image ${data} (data), which is persistent`,
      ),
    );
    await end(vm);
  });
});
