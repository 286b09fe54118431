import { z } from 'zod';
import type { Client } from '../../client/client.js';
import { json } from '../../client/message.js';
import { DatastoreResource } from '../../schemas/storage/datastore.js';
import { ImageResource } from '../../schemas/storage/image.js';
import { startOperation } from '../operations/start-operation.js';
import { Complaint } from '../shell/complaint.js';
import { type Resource, resolve } from '../shell/resource.js';
import { datastores } from '../storage/datastore.js';
import { images, snapshotId, snapshotSummaries } from '../storage/image.js';
import { listVerb, type One, ownershipVerbs, showVerb, toEach, type Verb } from './one-program.js';
import { datastoreList, datastoreText, imageList, imageText } from './storage-text.js';
import { attributesIn } from './template-file.js';
import { listVerbs } from './top-verb.js';

const setImage = ({ client }: One, id: number, change: object) =>
  client.send('PATCH', `/images/${id}`, ImageResource, json(change));
const setDatastore = ({ client }: One, id: number, change: object) =>
  client.send('PATCH', `/datastores/${id}`, DatastoreResource, json(change));

async function datastoreNames(client: Client): Promise<ReadonlyMap<number, string>> {
  const all = await client.list(datastores.path, DatastoreResource);
  return new Map(all.map(({ value }) => [value.id, value.name]));
}

async function imagesIn(client: Client): Promise<ReadonlyMap<number, number[]>> {
  const all = await client.list(images.path, ImageResource);
  const its = new Map<number, number[]>();
  for (const { value } of all) its.set(value.datastore_id, [...(its.get(value.datastore_id) ?? []), value.id]);
  return its;
}

/** What of template text makes an image or a datastore; texts and numbers, names in upper case. */
const Text = z.union([z.string(), z.number()]).transform(String).optional();
const ImageText = z.looseObject({
  ...{ NAME: Text, PATH: Text, TYPE: Text, PERSISTENT: Text, SIZE: Text, DESCRIPTION: Text, MD5: Text, SHA256: Text },
  ...{ FORMAT: Text, DRIVER: Text },
});
const DatastoreText = z.looseObject({ NAME: Text, DS_MAD: Text, TYPE: Text, LIMIT_MB: Text });

const types = { IMAGE_DS: 'image', SYSTEM_DS: 'system', FILE_DS: 'file' } as const;
const isType = (name: string): name is keyof typeof types => Object.hasOwn(types, name);

const Create = z.object({
  datastore: z.string().optional(),
  name: z.string().optional(),
  path: z.string().optional(),
  type: z.string().optional(),
  size: z.string().optional(),
  persistent: z.boolean().optional(),
  description: z.string().optional(),
});

/** What template text says of an image that is no field of it, each a text. */
function attributesBeside(text: z.output<typeof ImageText>): object {
  const beside = Object.entries(text).flatMap(([name, value]) =>
    Object.hasOwn(ImageText.shape, name) || !['string', 'number'].includes(typeof value)
      ? []
      : [[name, String(value)] as const],
  );
  return beside.length === 0 ? {} : { attributes: Object.fromEntries(beside) };
}

/** The body that makes an image, of a file's text and of options, which win. */
function imageBody(text: z.output<typeof ImageText>, given: z.output<typeof Create>): object {
  const path = given.path ?? text.PATH;
  const size = given.size ?? text.SIZE;
  const format = text.FORMAT ?? text.DRIVER;
  if (path === undefined && size === undefined)
    throw new Complaint('usage', 'Of what is it to be made?', { next: 'Give PATH, or SIZE for an empty one.' });
  const source = {
    ...(path === undefined && { empty: { size_mb: Number(size), ...(format !== undefined && { format }) } }),
    ...(path !== undefined && (/^https?:/.test(path) ? { url: path } : { path })),
  };
  return {
    name: given.name ?? text.NAME,
    source,
    type: (given.type ?? text.TYPE)?.toUpperCase(),
    persistent: given.persistent ?? (text.PERSISTENT === undefined ? undefined : /^yes$/i.test(text.PERSISTENT)),
    description: given.description ?? text.DESCRIPTION,
    ...{ md5: text.MD5, sha256: text.SHA256 },
    ...attributesBeside(text),
  };
}

const change = <L extends z.ZodType<{ id: number; name: string }>>(
  resource: Pick<Resource<L, z.ZodType>, 'noun' | 'path' | 'item'>,
  set: (one: One, id: number, change: object) => Promise<unknown>,
  [usage, summary]: readonly [string, string],
  wish: (args: readonly string[]) => object,
): Verb => ({ usage, summary, run: toEach(resource, (one, id, args) => set(one, id, wish(args))) });

const ofImage = (usage: string, summary: string, wish: (args: readonly string[]) => object): Verb =>
  change(images, setImage, [usage, summary], wish);
const ofDatastore = (usage: string, summary: string, wish: (args: readonly string[]) => object): Verb =>
  change(datastores, setDatastore, [usage, summary], wish);

export const imageVerbs: readonly Verb[] = [
  ...listVerbs(images, async (all, { client }) => imageList(all, await datastoreNames(client))),
  showVerb(images, async (image, { client }) => imageText(image, await datastoreNames(client))),
  {
    usage: 'create [file]',
    summary: 'Make an image, of template text and of options',
    options: [
      ['-d, --datastore <datastore>', 'where it is kept'],
      ['--name <name>', 'of the image'],
      ['--path <path>', 'a file on the machine of a worker, or an address'],
      ['--type <type>', 'OS, CDROM, DATABLOCK, KERNEL, RAMDISK or CONTEXT'],
      ['--size <MB>', 'of an empty one'],
      ['--persistent', 'what a VM writes is kept in it'],
      ['--description <text>', 'what it is'],
    ],
    run: async ({ client, out, err }, [file], options) => {
      const given = Create.parse(options);
      const text = ImageText.parse(file === undefined ? {} : attributesIn(file));
      const { datastore } = given;
      const into = datastore === undefined ? {} : { datastore_id: await resolve(client, datastores, datastore) };
      const body = json({ ...imageBody(text, given), ...into });
      const { value } = await startOperation({ client: () => client, err }, 'POST', '/images', body);
      out(`ID: ${value.resource.id}`);
    },
  },
  {
    usage: 'clone <image> <name>',
    summary: 'Make another one that is as this one',
    options: [['-d, --datastore <datastore>', 'where it is kept']],
    run: async ({ client, out, err }, [wish, name], options) => {
      const { datastore } = Create.pick({ datastore: true }).parse(options);
      const id = await resolve(client, images, wish, { whole: true });
      const into = datastore === undefined ? {} : { datastore_id: await resolve(client, datastores, datastore) };
      const asking = { client: () => client, err };
      const { value } = await startOperation(asking, 'POST', `/images/${id}/clone`, json({ name, ...into }));
      out(`ID: ${value.resource.id}`);
    },
  },
  {
    usage: 'delete <ids>',
    summary: 'Remove it',
    run: toEach(images, ({ client, err }, id) =>
      startOperation({ client: () => client, err }, 'DELETE', `/images/${id}`),
    ),
  },
  ...(['revert', 'delete', 'flatten'] as const).map((deed) => ({
    usage: `snapshot-${deed} <id> <snapshot>`,
    summary: snapshotSummaries[deed],
    run: toEach(images, ({ client, err }, id, [snapshot]) => {
      const path = `/images/${id}/snapshots/${snapshotId(snapshot, `oneimage show ${id}`)}/${deed}`;
      return startOperation({ client: () => client, err }, 'POST', path);
    }),
  })),
  ofImage('rename <id> <name>', 'Give it another name', ([name]) => ({ name })),
  ofImage('persistent <ids>', 'Keep what a VM writes in it', () => ({ persistent: true })),
  ofImage('nonpersistent <ids>', 'Let VMs have copies of it', () => ({ persistent: false })),
  ofImage('chtype <ids> <type>', 'Change what it is', ([type]) => ({ type: type?.toUpperCase() })),
  ofImage('enable <ids>', 'Let VMs use it', () => ({ state: 'enabled' })),
  ofImage('lock <ids>', 'Let nobody change or remove it', () => ({ locked: true })),
  ofImage('unlock <ids>', 'Let it be changed and removed again', () => ({ locked: false })),
  ofImage('disable <ids>', 'Let nobody use it', () => ({ state: 'disabled' })),
  ...ownershipVerbs(images),
];

export const datastoreVerbs: readonly Verb[] = [
  listVerb(datastores, async (all, { client }) => {
    const its = await imagesIn(client);
    return datastoreList(all, new Map([...its].map(([id, ids]) => [id, ids.length])));
  }),
  showVerb(datastores, async (datastore, { client }) =>
    datastoreText(datastore, (await imagesIn(client)).get(datastore.id) ?? []),
  ),
  {
    usage: 'create <file>',
    summary: 'Add one of template text: NAME, DS_MAD, TYPE, LIMIT_MB',
    run: async ({ client, out }, [file = '-']) => {
      const { NAME: name, DS_MAD: ds_mad, TYPE: type, LIMIT_MB: limit } = DatastoreText.parse(attributesIn(file));
      const body = json({
        ...{ name, ds_mad },
        ...(type !== undefined && { type: isType(type) ? types[type] : type }),
        ...(limit !== undefined && { limit_mb: Number(limit) }),
      });
      out(`ID: ${(await client.send('POST', '/datastores', DatastoreResource, body)).value.id}`);
    },
  },
  {
    usage: 'delete <ids>',
    summary: 'Remove it',
    run: toEach(datastores, ({ client }, id) => client.send('DELETE', `/datastores/${id}`, z.undefined())),
  },
  ofDatastore('rename <id> <name>', 'Give it another name', ([name]) => ({ name })),
  ofDatastore('enable <ids>', 'Let it take new images', () => ({ state: 'enabled' })),
  ofDatastore('disable <ids>', 'Let it keep what it has, and take nothing new', () => ({ state: 'disabled' })),
  ...ownershipVerbs(datastores),
];
