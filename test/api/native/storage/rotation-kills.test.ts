import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectionsBy } from '../../../../adapters/storage/connections.js';
import { keptPassword, passwordOf } from '../../../../domain/hosts/fencing-methods.js';
import { readKeys } from '../../../../domain/sealed.js';
import { privateKeyOf } from '../../../../domain/storage/datastore-secrets.js';
import { launchBuilt } from '../../../support/processes.js';
import { createWorld, type World } from '../../world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld({ withTemporal: false });
});
afterAll(() => world?.stop());

/** Killed before its first write, before its second, and so on: each time all is finished by who asks again, or by who asks after him. */
it('a rotation that is killed between any two of its writes is finished when it is asked for again', async () => {
  const { mongodb } = world.addresses;
  const { datastores } = world.store;
  const s3 = { bucket: 'images', access_key: 'known' };
  const ids: number[] = [];
  for (const secret_key of ['one', 'two']) {
    const wish = { name: `s3-${secret_key}`, ds_mad: 's3', s3: { ...s3, secret_key } };
    ids.push((await world.ask('oneadmin', 'post', '/datastores', wish)).body.id);
  }
  const ssh = { host: 'store.test', user: 'arcus', directory: '/srv/arcus', host_keys: [`ssh-rsa ${'A'.repeat(68)}`] };
  const { body } = await world.ask('oneadmin', 'post', '/datastores', { name: 'far', ds_mad: 'ssh', ssh });
  const far: number = body.id;
  // Words in the place of a key, which only ssh could tell.
  const stored = await datastores.model.findById(far).orFail().exec();
  await datastores.model.updateOne(
    { _id: stored._id },
    { $set: { 'ssh.private_key': world.sealer.seal('three', privateKeyOf(far)) } },
  );

  const host: number = (await world.ask('oneadmin', 'post', '/hosts', { name: 'h', cpu: 1, memory: 1 })).body.id;
  const account = { kind: 'ipmi', address: '10.0.9.1', user: 'arcus' } as const;
  const fencing = [{ ...account, password: 'four' }];
  await world.ask('oneadmin', 'patch', `/hosts/${host}`, { ha: { action: 'recreate', fencing } });
  const bmc = async (): Promise<string | null> => {
    const sealed = keptPassword((await world.store.hosts.find(host)) ?? {}, account);
    return sealed ? world.sealer.open(sealed, passwordOf(host, account)) : null;
  };

  const opened = async (): Promise<(string | null)[]> => {
    const open = connectionsBy(datastores.find, world.sealer.open);
    const [one = -1, two = -1] = ids;
    return [
      (await open.s3(one)).secret_key,
      (await open.s3(two)).secret_key,
      (await open.ssh(far)).private_key,
      await bmc(),
    ];
  };
  const rotate = (writes: number) =>
    launchBuilt('test/api/native/storage/rotate-secrets.js', [mongodb, world.home, String(writes)]);
  const keys = (): string[] => readKeys(readFileSync(join(world.home, 'secrets.key'), 'utf8')).map(({ name }) => name);
  expect(await opened()).toEqual(['one', 'two', 'three', 'four']);

  for (let writes = 0; ; writes++) {
    const before = keys();
    const first = rotate(writes);
    const code = await first.exit;
    // Whatever it got to, nothing is lost.
    expect(await opened()).toEqual(['one', 'two', 'three', 'four']);
    if (code === 0) {
      // A key, and four secrets: killed at each of them.
      expect(writes).toBe(5);
      break;
    }
    expect(first.process.signalCode, first.text()).toBe('SIGKILL');
    expect(keys()).toHaveLength(before.length + Math.min(writes, 1));
    const again = rotate(99);
    expect(await again.exit, again.text()).toBe(0);
    const newest = keys().at(-1);
    expect(await world.store.secrets.sealingKeys()).toEqual([newest]);
    // What was cut off is finished with the key that it had made; where it had made none, there is one now.
    expect(keys()).toHaveLength(before.length + 1);
    expect(await opened()).toEqual(['one', 'two', 'three', 'four']);
  }
  expect(await world.store.secrets.sealingKeys()).toEqual([keys().at(-1)]);
});
