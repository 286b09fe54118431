import { z } from 'zod';
import { type Body, json } from '../../client/message.js';
import { ImageResource, ImageState, ImageType } from '../../schemas/storage/image.js';
import { permissionsText } from '../identity/ownership.js';
import { ownershipLeaves } from '../identity/ownership-leaves.js';
import { operationsLeaf } from '../operations/operation-list.js';
import { startOperation } from '../operations/start-operation.js';
import { whyLeaf } from '../operations/why.js';
import { AttributeOption, attributesBody, attributesSection } from '../shell/attribute.js';
import { changesIn } from '../shell/changes.js';
import { type Context, type Leaf, leaf } from '../shell/command.js';
import { Complaint } from '../shell/complaint.js';
import { reportOperation } from '../shell/follow.js';
import { nounOf } from '../shell/noun-of.js';
import { dateText, pairs, sizeOf, tableOf } from '../shell/output.js';
import { listAndShow, type Resource, report, resolve, resolveToEnd } from '../shell/resource.js';
import { stateText } from '../shell/state-colour.js';
import { waitLeaf } from '../shell/wait-for.js';
import { datastores } from './datastore.js';
import { copiesText } from './image-copies.js';
import { sendFile, sumOf, withFile } from './upload.js';

export const images: Resource<typeof ImageResource, typeof ImageResource> = {
  ...nounOf('image'),
  item: ImageResource,
  whole: ImageResource,
  states: ImageState.options,
  columns: () => [
    { title: 'ID', text: ({ id }) => String(id), right: true },
    { title: 'USER', text: ({ uname }) => uname },
    { title: 'GROUP', text: ({ gname }) => gname },
    { title: 'NAME', text: ({ name }) => name, cut: true, kept: true },
    { title: 'DATASTORE', text: ({ datastore_id }) => String(datastore_id), right: true },
    { title: 'SIZE', text: ({ size_mb }) => sizeOf(size_mb), right: true },
    { title: 'TYPE', text: ({ type }) => type },
    { title: 'FORMAT', text: ({ format }) => format ?? '-', wide: true },
    { title: 'PERSISTENT', text: ({ persistent }) => (persistent ? 'yes' : 'no'), wide: true },
    { title: 'VMS', text: ({ vms }) => String(vms.length), right: true },
    { title: 'STATE', text: ({ state }) => state, colour: stateText, kept: true },
    { title: 'SOURCE', text: ({ source }) => source, wide: true },
    { title: 'REASON', text: ({ reason }) => reason ?? '-', wide: true },
  ],
  text: (image) =>
    [
      `IMAGE ${image.id} INFORMATION`,
      pairs([
        ['ID', String(image.id)],
        ['NAME', image.name],
        ['USER', image.uname],
        ['GROUP', image.gname],
        ['DESCRIPTION', image.description || null],
        ['DATASTORE', String(image.datastore_id)],
        ['TYPE', image.type],
        ['PERSISTENT', image.persistent ? 'yes' : 'no'],
        ['STATE', image.state],
        ['REASON', image.reason],
        ['LOCKED', image.lock && `by user ${image.lock.uid}, since ${image.lock.at}`],
        ['SOURCE', image.source],
        ['SIZE', sizeOf(image.size_mb)],
        ['FORMAT', image.format],
        ['VIRTUAL SIZE', bytesText(image.virtual_size)],
        ['BYTES', bytesText(image.bytes)],
        ['PUBLISHED BYTES', bytesText(image.published?.bytes)],
        ['SHA256', image.published?.sha256],
        ['MD5', image.published?.md5],
        ['COPIES', copiesText(image)],
        ['VMS', image.vms.join(', ') || '-'],
        ['OPERATION', image.operation],
        ['CREATED', image.created_at],
      ]),
      '',
      permissionsText(image),
      ...attributesSection(image.attributes),
      ...snapshotsSection(image),
    ].join('\n'),
};

/** A number of a snapshot, as `show` tells it. */
export function snapshotId(word: string | undefined, next: string): string {
  if (word !== undefined && /^\d{1,9}$/.test(word)) return word;
  throw new Complaint('usage', `${JSON.stringify(word ?? '')} is no number of a snapshot.`, {
    next: `Which there are: ${next}`,
  });
}

export const snapshotSummaries = {
  revert: 'Make an image what it was when a snapshot was taken',
  delete: 'Keep a snapshot of an image no more',
  flatten: 'Make an image one of its snapshots, and keep none',
} as const;

const snapshotsSection = ({ snapshots }: ImageResource): string[] =>
  snapshots.length === 0
    ? []
    : [
        '',
        tableOf(
          [
            { title: 'SNAPSHOT', text: ({ snapshot_id }) => String(snapshot_id), right: true },
            { title: 'NAME', text: ({ name }) => name },
            { title: 'AFTER', text: ({ parent }) => (parent === null ? '-' : String(parent)) },
            { title: 'TAKEN', text: ({ taken_at }) => dateText(taken_at) },
            { title: 'CURRENT', text: ({ current }) => (current ? 'yes' : '') },
          ],
          snapshots,
        ),
      ];

const bytesText = (bytes: number | null | undefined): string | null => (bytes == null ? null : String(bytes));

const wait = ['--wait', 'wait until the operation has ended'] as const;
const Wait = z.object({ wait: z.boolean().optional() });
const into = ['--datastore <datastore>', 'where it is kept, by id or name'] as const;

const placed = async ({ client }: Context, datastore: string | undefined): Promise<object> =>
  datastore === undefined ? {} : { datastore_id: await resolve(client(), datastores, datastore) };

async function update(context: Context, wish: string | undefined, body: Body, told?: string): Promise<void> {
  const id = await resolve(context.client(), images, wish);
  const { value, raw } = await context.client().send('PATCH', `/images/${id}`, ImageResource, body);
  report(context, `image ${id} (${value.name}) ${told ?? `is ${value.state}`}.`, raw);
}

const sets = (verb: string, body: object, summary: string, told?: string): Leaf =>
  leaf({
    usage: `${verb} <image>`,
    summary,
    examples: [`arcus image ${verb} alpine`],
    schema: z.object({}),
    run: (context, [wish]) => update(context, wish, json(body), told),
  });

const attribute = ['--attribute <name=value...>', 'what is to be kept of it; NAME= takes one away'] as const;
const example = 'arcus image update alpine --attribute LABELS=linux';

const Megabytes = z.coerce.number({ error: 'must be a number of MB' });
const Creation = Wait.extend({
  path: z.string().optional(),
  url: z.string().optional(),
  upload: z.string().optional(),
  empty: Megabytes.optional(),
  format: z.string().optional(),
  type: z.string().optional(),
  datastore: z.string().optional(),
  persistent: z.boolean().optional(),
  description: z.string().optional(),
  sha256: z.string().optional(),
  md5: z.string().optional(),
  size: Megabytes.optional(),
  attribute: AttributeOption,
});

/** What it is to be made of, said one way. */
function sourceOf({ path, url, empty, format, upload }: z.output<typeof Creation>, size?: number): object {
  const given = [path, url, empty, upload].filter((one) => one !== undefined);
  if (given.length !== 1)
    throw new Complaint('usage', given.length === 0 ? 'Of what is it to be made?' : 'Say one way what it is made of.', {
      next: 'Give --upload, --path, --url or --empty; see --help.',
    });
  if (upload !== undefined) return { upload: { bytes: size } };
  if (path !== undefined) return { path };
  return url !== undefined ? { url } : { empty: { size_mb: empty, ...(format !== undefined && { format }) } };
}

export const imageCommands: readonly Leaf[] = [
  ...listAndShow(images),
  whyLeaf({
    ...nounOf('image'),
    examples: ['arcus image why alpine'],
    schema: z.object({}),
    idOf: ({ client }, wish) => resolve(client(), images, wish),
  }),
  waitLeaf(images, {
    known: ['READY', ...ImageState.options.filter((state) => state !== 'READY')],
    statesOf: ({ state }) => [state],
    stuck: ({ state }) => (state === 'ERROR' ? 'it is in ERROR' : null),
    hasEnded: () => false,
  }),
  leaf({
    usage: 'create <name>',
    summary: 'Make an image of a file, of an address, or an empty one',
    examples: [
      'arcus image create debian --upload debian.qcow2 --wait',
      'arcus image create alpine --url https://example.org/alpine.qcow2.xz --sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 --wait',
      'arcus image create data --type DATABLOCK --empty 10240 --persistent',
      'arcus image create vmlinuz --type KERNEL --path /var/tmp/vmlinuz',
    ],
    options: [
      ['--upload <file>', 'a file of this machine, which is sent; go on with `upload` when it was stopped'],
      ['--path <path>', 'a file on the machine of a worker, in its safe directories'],
      ['--url <address>', 'an http or https address'],
      ['--empty <MB>', 'empty, and so large'],
      ['--format <format>', 'of an empty one: qcow2 (default) or raw'],
      ['--type <type>', `${ImageType.options.join(', ')}; default: OS`],
      into,
      ['--persistent', 'what a VM writes is kept in it'],
      ['--description <text>', 'what it is'],
      ['--sha256 <digits>', 'of the bytes as they are published'],
      ['--md5 <digits>', 'of the bytes as they are published'],
      ['--size <MB>', 'what it comes to at most, which is reserved at once'],
      attribute,
      wait,
    ],
    schema: Creation,
    run: async (context, [name], options) => {
      const { type, datastore, persistent, description, md5, size: size_mb, attribute, wait: waits } = options;
      const { upload: path } = options;
      const make = async (sha256: string | undefined, size?: number) => {
        const its = { name, type, persistent, description, sha256, md5, size_mb, source: sourceOf(options, size) };
        const attributes = attributesBody(attribute, example);
        const body = json({ ...its, ...attributes, ...(await placed(context, datastore)) });
        return startOperation(context, 'POST', '/images', body);
      };
      const send = (path: string) =>
        withFile(path, async (upload) => {
          const made = await make(options.sha256 ?? (await sumOf(context, upload)), upload.size);
          await sendFile(context, made.value.resource.id, upload);
          return made;
        });
      const accepted = path === undefined ? await make(options.sha256) : await send(path);
      await reportOperation(context, accepted, { wait: waits });
    },
  }),
  leaf({
    usage: 'upload <image> <file>',
    summary: 'Go on with sending the file that an image is made of',
    examples: ['arcus image upload debian debian.qcow2'],
    schema: z.object({}),
    run: async (context, [wish, path = '']) => {
      const id = await resolve(context.client(), images, wish);
      const { value: image } = await context.client().show(images, id);
      const { upload } = image;
      if (!upload)
        throw new Complaint('conflict', `Image ${id} (${image.name}) is ${image.state}: nothing is to be sent of it.`, {
          next: `See more with: arcus image why ${id}`,
        });
      await withFile(path, async (file) => {
        if (file.size !== upload.bytes)
          throw new Complaint('usage', `${path} has ${file.size} bytes, and image ${id} is made of ${upload.bytes}.`, {
            next: 'Name the file that it was begun with.',
          });
        await sendFile(context, id, file);
      });
      context.out(`All of image ${id} (${image.name}) has been sent.`);
    },
  }),
  leaf({
    usage: 'clone <image> <name>',
    summary: 'Make another image that is as this one',
    examples: ['arcus image clone alpine "alpine of May" --wait'],
    options: [into, wait],
    schema: Wait.extend({ datastore: z.string().optional() }),
    run: async (context, [wish, name], { datastore, wait: waits }) => {
      const id = await resolve(context.client(), images, wish);
      const body = json({ name, ...(await placed(context, datastore)) });
      await reportOperation(context, await startOperation(context, 'POST', `/images/${id}/clone`, body), {
        wait: waits,
      });
    },
  }),
  leaf({
    usage: 'resize <image> <MB>',
    summary: 'Make an image larger that nothing uses',
    examples: ['arcus image resize data 20480 --wait'],
    options: [wait],
    schema: Wait,
    run: async (context, [wish, size], { wait: waits }) => {
      const id = await resolve(context.client(), images, wish);
      const body = json({ size_mb: Number(size) });
      await reportOperation(context, await startOperation(context, 'POST', `/images/${id}/resize`, body), {
        wait: waits,
      });
    },
  }),
  ...(['revert', 'delete', 'flatten'] as const).map((deed) =>
    leaf({
      usage: `snapshot-${deed} <image> <snapshot>`,
      summary: snapshotSummaries[deed],
      examples: [`arcus image snapshot-${deed} data 0 --wait`],
      options: [wait],
      schema: Wait,
      run: async (context, [wish, snapshot], { wait: waits }) => {
        const id = await resolve(context.client(), images, wish);
        const path = `/images/${id}/snapshots/${snapshotId(snapshot, `arcus image show ${id}`)}/${deed}`;
        await reportOperation(context, await startOperation(context, 'POST', path), { wait: waits });
      },
    }),
  ),
  leaf({
    usage: 'update <image>',
    summary: 'Rename or describe an image, or set its attributes',
    examples: ['arcus image update alpine --description "what the build makes"', 'arcus image update 3 --name base'],
    options: [['--name <name>', 'another name'], ['--description <text>', 'what it is'], attribute],
    schema: z.object({ name: z.string().optional(), description: z.string().optional(), attribute: AttributeOption }),
    run: (context, [wish], { attribute: given, ...changes }) => {
      const body = changesIn({ ...changes, ...attributesBody(given, example) }, '--name, --description or --attribute');
      return update(context, wish, json(body), 'updated');
    },
  }),
  leaf({
    usage: 'chtype <image> <type>',
    summary: 'Change what an image is, where nothing uses it',
    examples: ['arcus image chtype alpine CDROM'],
    schema: z.object({}),
    run: (context, [wish, type]) => update(context, wish, json({ type: type?.toUpperCase() }), `is ${type}`),
  }),
  sets('persistent', { persistent: true }, 'Keep what a VM writes in an image: one uses it at a time', 'is persistent'),
  sets('nonpersistent', { persistent: false }, 'Let VMs have copies of an image', 'is not persistent'),
  sets('enable', { state: 'enabled' }, 'Let VMs use an image again'),
  sets('lock', { locked: true }, 'Let nobody change or remove an image', 'is locked'),
  sets('unlock', { locked: false }, 'Let an image be changed and removed again', 'is not locked'),
  sets('disable', { state: 'disabled' }, 'Let nobody use an image'),
  operationsLeaf(images),
  ...ownershipLeaves(images, { called: 'alpine' }),
  leaf({
    usage: 'delete <image>',
    summary: 'Remove an image that nothing uses',
    examples: ['arcus image delete alpine'],
    options: [wait],
    schema: Wait,
    run: async (context, [wish], { wait: waits }) => {
      const { id } = await resolveToEnd(context, images, wish, (object) => `Remove ${object}?`);
      await reportOperation(context, await startOperation(context, 'DELETE', `/images/${id}`), { wait: waits });
    },
  }),
];
