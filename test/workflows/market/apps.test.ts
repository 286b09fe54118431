import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Problem, problemOf } from '../../../domain/problems.js';
import { unconditional } from '../../../requests/precondition.js';
import type { App } from '../../../schemas/market/app.js';
import { imagesOf } from '../../../schemas/operations/operation.js';
import { ServiceTemplateBody } from '../../../schemas/services/service-template.js';
import { VmTemplateBody } from '../../../schemas/vms/vm-template.js';
import { type Deed, everyStep } from '../../support/every-step.js';
import { eventually } from '../../support/processes.js';
import { type Asked, newWorld, type World } from '../../support/world.js';
import { newImage } from '../../support/world-images.js';
import { development } from '../../support/world-server.js';
import { diesOnce } from '../../support/world-steps.js';

let world: World;
let market: number;
let image: number;
beforeAll(async () => {
  world = await newWorld({ server: development, hosts: 0 });
  const http = { base_url: 'http://market.test/apps', public_dir: '/srv/market' };
  const wish = { name: 'corporate', description: '', market_mad: 'http' as const, http };
  market = (await world.operations.marketplaces.create(world.caller, wish)).id;
  image = await newImage(world, 'system', threeMb);
});
afterAll(() => world.stop());
afterEach(() => {
  world.steps.watch();
  world.storage.beforeEach = async () => {};
  world.market.beforeEach = async () => {};
  world.storage.pieceMilliseconds = 0;
});

/** 3 MB of an address: what is in memory is as large as its last part says. */
const threeMb = { source: { url: 'http://source.test/3' } };

let serial = 0;
const admission = { requestId: 'test' };
const asked = ({ id, resource }: { id: string; resource: { id: number } }): Asked => ({ op: id, id: resource.id });
const found = (id: number): Promise<App | null> => world.store.apps.find(id);
const stateOf = async (id: number): Promise<string> => (await found(id))?.state ?? 'gone';
const imageState = async (id: number): Promise<string> => (await world.store.images.find(id))?.state ?? 'gone';
const ended = (op: string) => world.server.skipping(world.ended(op));
const vm_template = { CPU: 1, MEMORY: 64 };

async function publish(of = image, over: object = {}): Promise<Asked> {
  const told = { description: 'for tests', version: '1.0', tags: ['test'], vm_template };
  const wish = { name: `app-${++serial}`, market_id: market, image_id: of, ...told, ...over };
  return asked(await world.operations.apps.publish(world.caller, wish, admission));
}
async function published(of = image): Promise<number> {
  const { id, op } = await publish(of);
  expect(await ended(op)).toMatchObject({ state: 'succeeded', error: null });
  return id;
}
const exported = async (id: number, over: object = {}) => {
  const wish = { name: `export-${++serial}`, ...over };
  const accepted = await world.operations.apps.export(world.caller, id, wish, admission);
  return { ...asked(accepted), template: accepted.vm_template_id ?? null, name: wish.name };
};
const remove = async (id: number): Promise<Asked> =>
  asked(await world.operations.apps.remove(world.caller, id, admission));
/** What failed of it last is tried again. */
async function retried(id: number): Promise<Asked> {
  const last = await world.store.operations.lastOf({ type: 'app', id });
  return asked(await world.operations.operations.retry(world.caller, last?._id ?? '', admission));
}
const refused = (act: Promise<unknown>) =>
  act.then(
    () => null,
    (error: unknown) => problemOf(error),
  );
const sending = () => eventually(async () => world.steps.names().includes('publishBytes'));
/** What of an app is in its marketplace. */
const bytesOf = (id: number): string[] =>
  [...world.market.kept.keys(), ...world.market.begun.keys()].filter((key) => key.startsWith(`marketapp-${id}-`));
const used = async () => (await world.store.quotas.find({ type: 'user', id: world.caller.id }))?.used;
const isLetGo = async (of = image): Promise<void> =>
  expect(await world.store.images.find(of)).toMatchObject({ state: 'READY', apps: [] });

const summed = { md5: expect.stringMatching(/^[0-9a-f]{32}$/), sha256: expect.stringMatching(/^[0-9a-f]{64}$/) };
let source: number | undefined;
const aSource = async (): Promise<number> => {
  source ??= await published();
  return source;
};

const deeds: Record<string, Deed> = {
  publishApp: {
    prepare: async () => null,
    ask: () => publish(),
    again: async (id) => ((await stateOf(id)) === 'ERROR' ? retried(id) : null),
    arrived: async (id) => {
      const app = await found(id);
      await isLetGo();
      // What was cancelled is gone, and nothing of it is left.
      if (!app) return expect(bytesOf(id)).toEqual([]);
      expect(app).toMatchObject({
        ...{ state: 'READY', operation: null, wanted: null, reason: null },
        parts: [{ bytes: 3 * 2 ** 20, ...summed }],
      });
      expect(bytesOf(id)).toEqual([app.parts[0]?.key]);
    },
    cancelled: stateOf,
    afterCancel: /^(gone|ERROR)$/,
    stops: 0,
  },
  deleteApp: {
    prepare: () => published(),
    ask: (id) => remove(id ?? -1),
    again: async (id) => ((await found(id)) === null ? null : remove(id)),
    arrived: async (id) => {
      expect(await found(id)).toBeNull();
      expect(bytesOf(id)).toEqual([]);
    },
    cancelled: stateOf,
    afterCancel: /^(ERROR|gone)$/,
    stops: 0,
  },
  exportApp: {
    prepare: async () => null,
    ask: async () => exported(await aSource()),
    again: async (id) => {
      if ((await imageState(id)) !== 'ERROR') return null;
      const last = await world.store.operations.lastOf({ type: 'image', id });
      return asked(await world.operations.operations.retry(world.caller, last?._id ?? '', admission));
    },
    arrived: async (id) => {
      const of = await aSource();
      expect(await found(of)).toMatchObject({ state: 'READY', exports: [] });
      const made = await world.store.images.find(id);
      const kept = [...world.storage.kept.keys(), ...world.storage.staged.keys()].filter((key) => key === `1/${id}`);
      const templates = await world.store.vmTemplates.model.find({ 'template.DISK.IMAGE_ID': id }).lean().exec();
      if (!made) return expect([kept, templates]).toEqual([[], []]);
      expect(made).toMatchObject({ state: 'READY', operation: null, reason: null, origin: { app: of } });
      expect(kept).toEqual([`1/${id}`]);
    },
    cancelled: imageState,
    afterCancel: /^(gone|ERROR)$/,
    stops: 0,
  },
};
const inTurn = Object.entries(deeds).map(([name, deed], at) => [name, deed, at] as const);
describe.each(inTurn)('%s', (_, deed, at) => everyStep(() => world, deed, at));

describe('an app', () => {
  it('keeps the image that it is made of until that has ended, and is gone with all of it when it is cancelled', async () => {
    const of = await newImage(world, `kept-${++serial}`, threeMb);
    world.storage.pieceMilliseconds = 60_000;
    const { id, op } = await publish(of);
    await sending();
    expect(await world.store.images.find(of)).toMatchObject({ state: 'CLONE', apps: [id] });
    expect(await refused(world.operations.images.remove(world.caller, of, admission))).toMatchObject({
      code: 'wrong_state',
      message: expect.stringMatching(/is being published: app \d+ is made of it/),
    });
    await world.cancel(op);
    expect(await ended(op)).toMatchObject({ state: 'cancelled' });
    expect([await stateOf(id), bytesOf(id)]).toEqual(['gone', []]);
    await isLetGo(of);
  });

  it('is in ERROR when it could not be published, leaves nothing, and is published by a retry', async () => {
    world.market.beforeEach = async (call) => {
      if (call === 'publish') throw new Problem('datastore_full', 'there is no room for it');
    };
    const { id, op } = await publish();
    expect(await ended(op)).toMatchObject({ state: 'failed', error: { code: 'datastore_full' } });
    expect(await found(id)).toMatchObject({ state: 'ERROR', reason: 'there is no room for it', operation: null });
    expect(bytesOf(id)).toEqual([]);
    await isLetGo();
    const { text } = await world.operations.why.app(world.caller, id);
    expect(text).toContain('is in ERROR: there is no room for it');
    world.market.beforeEach = async () => {};
    const again = await retried(id);
    expect(await ended(again.op)).toMatchObject({ state: 'succeeded' });
    expect(await stateOf(id)).toBe('READY');
  });

  it('is deleted while it is published, which gives way', async () => {
    world.storage.pieceMilliseconds = 60_000;
    const { id, op } = await publish();
    await sending();
    world.storage.pieceMilliseconds = 0;
    const removal = await remove(id);
    expect(await ended(removal.op)).toMatchObject({ state: 'succeeded' });
    expect(await world.operation(op)).toMatchObject({ state: 'cancelled' });
    expect([await stateOf(id), bytesOf(id)]).toEqual(['gone', []]);
    await isLetGo();
  });

  it('takes USE on the image and on the marketplace, and no other catalogue', async () => {
    const bob = { id: 77, name: 'bob', gid: 1, groups: [1], rules: world.caller.rules };
    const wish = { name: 'stolen', market_id: market, image_id: image, description: '', version: '1', tags: [] };
    expect(await refused(world.operations.apps.publish(bob, wish, admission))).toMatchObject({
      code: 'not_authorized',
    });
    const publicOne = { ...wish, market_id: 0 };
    expect(await refused(world.operations.apps.publish(world.caller, publicOne, admission))).toMatchObject({
      code: 'invalid_request',
      message: expect.stringMatching(/catalogue of others/),
    });
    expect(await world.store.apps.model.countDocuments({ name: 'stolen' })).toBe(0);
    await isLetGo();
  });

  it('keeps its marketplace', async () => {
    await aSource();
    expect(await refused(world.operations.marketplaces.remove(world.caller, market, unconditional))).toMatchObject({
      code: 'in_use',
    });
  });
});

describe('an export', () => {
  it('makes the image and its VM template at once, which has it as its first disk', async () => {
    const of = await aSource();
    const before = await used();
    world.storage.pieceMilliseconds = 60_000;
    const { id, op, template, name } = await exported(of);
    expect(await world.store.images.find(id)).toMatchObject({ state: 'LOCKED', name, size_mb: 3 });
    expect(await used()).toMatchObject({ storage: (before?.storage ?? 0) + 3 });
    expect(await world.store.vmTemplates.find(template ?? -1)).toMatchObject({
      name,
      template: { ...vm_template, DISK: [{ IMAGE_ID: id }] },
    });
    await world.cancel(op);
    expect(await ended(op)).toMatchObject({ state: 'cancelled' });
    expect([await imageState(id), await world.store.vmTemplates.find(template ?? -1)]).toEqual(['gone', null]);
    expect(await used()).toMatchObject({ storage: before?.storage ?? 0, images: before?.images ?? 0 });
  });

  it('is undone as a whole when its bytes cannot be brought', async () => {
    const of = await aSource();
    const before = await used();
    world.storage.beforeEach = async (call) => {
      if (call === 'bringIn') throw new Problem('image_refused', 'its SHA-256 is another one');
    };
    const { id, op, template } = await exported(of);
    expect(await ended(op)).toMatchObject({ state: 'failed', error: { code: 'image_refused' } });
    expect([await imageState(id), await world.store.vmTemplates.find(template ?? -1)]).toEqual(['gone', null]);
    expect(await used()).toMatchObject({ storage: before?.storage ?? 0, images: before?.images ?? 0 });
    expect(await found(of)).toMatchObject({ exports: [] });
  });

  it('makes nothing at all where a name is taken', async () => {
    const { name, op } = await exported(await aSource());
    await ended(op);
    const images = await world.store.images.model.countDocuments();
    expect(await refused(exported(await aSource(), { name }))).toMatchObject({ code: 'name_taken' });
    expect(await refused(exported(await aSource(), { vm_template_name: name }))).toMatchObject({ code: 'name_taken' });
    expect(await world.store.images.model.countDocuments()).toBe(images);
    expect(await found(await aSource())).toMatchObject({ exports: [] });
  });

  it('keeps its app from being deleted, and is refused of one that is disabled', async () => {
    const of = await published();
    world.storage.pieceMilliseconds = 60_000;
    const { op } = await exported(of);
    expect(await refused(remove(of))).toMatchObject({ code: 'wrong_state', message: expect.stringMatching(op) });
    await world.cancel(op);
    await ended(op);
    await world.operations.apps.update(world.caller, of, {
      revise: (present) => ({ wish: { ...present, state: 'disabled' }, named: new Set(['state']) }),
      precondition: unconditional,
    });
    expect(await refused(exported(of))).toMatchObject({
      code: 'wrong_state',
      message: expect.stringMatching(/disabled/),
    });
  });

  it('goes on when its worker dies in between', async () => {
    world.steps.watch(diesOnce());
    const { id, op } = await exported(await aSource());
    expect(await ended(op)).toMatchObject({ state: 'succeeded' });
    expect(await imageState(id)).toBe('READY');
  });
});

describe('an app of a service template', () => {
  /** A service of two roles, whose VMs have disks of two images, one of which both have. */
  async function service(): Promise<{ id: number; images: number[] }> {
    serial += 1;
    const other = await newImage(world, `other-${serial}`, threeMb);
    const templateOf = (name: string, images: number[]) =>
      world.operations.vmTemplates.create(world.caller, {
        name: `${name}-${serial}`,
        template: VmTemplateBody.parse({ ...vm_template, DISK: [...images.map((IMAGE_ID) => ({ IMAGE_ID })), swap] }),
      });
    const [web, db] = [await templateOf('web', [image]), await templateOf('db', [other, image])];
    const roles = [
      { name: 'db', vm_template: db.id },
      { name: 'web', vm_template: web.id, parents: ['db'], cardinality: 3 },
    ];
    const body = ServiceTemplateBody.parse({ name: `shop-${serial}`, roles });
    return { id: (await world.operations.serviceTemplates.create(world.caller, body)).id, images: [other, image] };
  }
  const swap = { TYPE: 'swap', SIZE: 4 };
  const publishService = async (id: number): Promise<Asked> =>
    publish(image, { image_id: undefined, vm_template: undefined, service_template_id: id });

  it('carries each image once, and becomes a service template that is ready to be instantiated', async () => {
    const { id: template, images } = await service();
    const { id, op } = await publishService(template);
    expect(await ended(op)).toMatchObject({ state: 'succeeded', error: null });
    expect(await found(id)).toMatchObject({
      type: 'SERVICE_TEMPLATE',
      parts: images.map((origin_id) => ({ origin_id, ...summed })),
    });
    expect(bytesOf(id)).toHaveLength(2);
    for (const of of images) await isLetGo(of);
    const wish = { name: `mine-${serial}` };
    const accepted = await world.operations.apps.export(world.caller, id, wish, admission);
    expect(await ended(accepted.id)).toMatchObject({ state: 'succeeded', error: null });
    const made = await world.store.serviceTemplates.find(accepted.service_template_id ?? -1);
    const [db, web] = await world.store.vmTemplates.byIds(made?.body.roles.map((role) => role.vm_template) ?? []);
    const [first = -1, second = -1] =
      (await world.store.operations.find(accepted.id).then((its) => its && imagesOf(its))) ?? [];
    expect(db?.template.DISK).toEqual([{ IMAGE_ID: first }, { IMAGE_ID: second }, swap]);
    expect(web?.template.DISK).toEqual([{ IMAGE_ID: second }, swap]);
    expect(made).toMatchObject({ name: wish.name, body: { roles: [{ name: 'db' }, { name: 'web', cardinality: 3 }] } });
    expect([await imageState(first), await imageState(second)]).toEqual(['READY', 'READY']);
    expect(await remove(id).then(({ op: removal }) => ended(removal))).toMatchObject({ state: 'succeeded' });
    expect(bytesOf(id)).toEqual([]);
  });

  it('is undone as a whole when its second image cannot be brought', async () => {
    const { id: template } = await service();
    const { id, op } = await publishService(template);
    await ended(op);
    const before = await used();
    let brought = 0;
    world.storage.beforeEach = async (call) => {
      if (call === 'bringIn' && ++brought > 1) throw new Problem('image_refused', 'its SHA-256 is another one');
    };
    const accepted = await world.operations.apps.export(world.caller, id, { name: `none-${serial}` }, admission);
    expect(await ended(accepted.id)).toMatchObject({ state: 'failed', error: { code: 'image_refused' } });
    const its = await world.store.operations.find(accepted.id);
    for (const one of its ? imagesOf(its) : []) expect(await imageState(one)).toBe('gone');
    expect(await world.store.serviceTemplates.find(accepted.service_template_id ?? -1)).toBeNull();
    expect(await world.store.vmTemplates.model.countDocuments({ name: new RegExp(`^none-${serial}`) })).toBe(0);
    expect(await used()).toEqual(before);
  });

  it('leaves nothing of its first image when the second cannot be sent, and goes on from nothing', async () => {
    const { id: template, images } = await service();
    let sent = 0;
    world.market.beforeEach = async (call) => {
      if (call === 'publish' && ++sent > 1) throw new Problem('datastore_full', 'there is no room for it');
    };
    const { id, op } = await publishService(template);
    expect(await ended(op)).toMatchObject({ state: 'failed', error: { code: 'datastore_full' } });
    expect([await stateOf(id), bytesOf(id)]).toEqual(['ERROR', []]);
    for (const of of images) await isLetGo(of);
    world.market.beforeEach = async () => {};
    expect(await ended((await retried(id)).op)).toMatchObject({ state: 'succeeded' });
    expect(bytesOf(id)).toHaveLength(2);
  });

  it('and one of a VM template becomes that', async () => {
    serial += 1;
    const template = VmTemplateBody.parse({ ...vm_template, DISK: [{ IMAGE_ID: image, TARGET: 'vdb' }] });
    const { id: of } = await world.operations.vmTemplates.create(world.caller, { name: `vm-${serial}`, template });
    const { id, op } = await publish(image, { image_id: undefined, vm_template: undefined, vm_template_id: of });
    expect(await ended(op)).toMatchObject({ state: 'succeeded', error: null });
    const made = await exported(id);
    expect(await ended(made.op)).toMatchObject({ state: 'succeeded' });
    expect(await world.store.vmTemplates.find(made.template ?? -1)).toMatchObject({
      name: made.name,
      template: { ...vm_template, DISK: [{ TARGET: 'vdb', IMAGE_ID: made.id }] },
    });
    const bare = await world.operations.vmTemplates.create(world.caller, {
      name: `bare-${serial}`,
      template: VmTemplateBody.parse(vm_template),
    });
    const refusal = publish(image, { image_id: undefined, vm_template: undefined, vm_template_id: bare.id });
    expect(await refused(refusal)).toMatchObject({
      code: 'invalid_request',
      message: expect.stringMatching(/no bytes/),
    });
  });
});
