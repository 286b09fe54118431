import { afterAll, beforeAll, expect, it } from 'vitest';
import { createWorld, type World } from '../../world.js';

let world: World;
beforeAll(async () => {
  world = await createWorld({ withTemporal: false });
});
afterAll(() => world.stop());

type Finding = { pointer: string; detail: string };
let serial = 0;
const wrong = async (source: unknown, more: object = {}) => {
  const { body } = await world.ask('oneadmin', 'post', '/images', { name: `i-${++serial}`, source, ...more });
  return (body.errors ?? []).map(({ pointer, detail }: Finding) => `${pointer} ${detail}`);
};

it('what is wrong within a source is told where it stands', async () => {
  expect(await wrong({ url: 'ftp://x' })).toEqual([
    '/source/url must be an http or https address without a user or password',
  ]);
  expect(await wrong({ empty: { size_mb: 0 } })).toEqual([expect.stringMatching(/^\/source\/empty\/size_mb must be/)]);
  expect(await wrong({ empty: { size_mb: 1, format: 'vmdk' } })).toEqual([
    '/source/empty/format must be one of raw, qcow2',
  ]);
  expect(await wrong({ upload: {} })).toEqual(['/source/upload/bytes is required']);
  expect(await wrong({ path: '/x', size: 3 })).toEqual([
    '/source/size is not known here; known are path, url, empty, upload',
  ]);
  expect((await wrong({}))[0]).toMatch(/^\/source /);
  expect((await wrong('x'))[0]).toMatch(/^\/source /);
});

it('more than an image may come to is refused before a byte of it is sent', async () => {
  const images = await world.store.images.model.countDocuments();
  expect(await wrong({ upload: { bytes: 30 * 2 ** 20 } }, { size_mb: 10 })).toEqual([
    '/size_mb is 10 MB, and 31,457,280 bytes are to be sent, which is 30 MB',
  ]);
  expect(await world.store.images.model.countDocuments()).toBe(images);
  // What packs it may be larger than what is in it, by little.
  expect(await wrong({ upload: { bytes: 10 * 2 ** 20 + 10_000 } }, { size_mb: 10 })).toEqual([]);
});

it('a locked image is said to be so in the same words, whatever was to be done', async () => {
  const { body } = await world.ask('oneadmin', 'post', '/images', { name: 'kept', source: { empty: { size_mb: 1 } } });
  const path = `/images/${body.resource.id}`;
  const there = { state: 'READY', operation: null, format: 'qcow2', virtual_size: 2 ** 20 };
  await world.store.images.model.updateOne({ _id: body.resource.id }, { $set: there });
  expect((await world.ask('oneadmin', 'patch', path, { locked: true })).status).toBe(200);
  const said = `Image ${body.resource.id} (kept) is locked. Unlock it first.`;
  const asked = [
    await world.ask('oneadmin', 'patch', path, { name: 'other' }),
    await world.ask('oneadmin', 'delete', path),
    await world.ask('oneadmin', 'post', `${path}/resize`, { size_mb: 2 }),
  ];
  expect(asked.map((answer) => answer.body.detail)).toEqual([said, said, said]);
});
