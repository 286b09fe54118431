import { z } from 'zod';
import { type Body, json } from '../../client/message.js';
import { CreateDatastore, DatastoreResource, DatastoreState } from '../../schemas/storage/datastore.js';
import type { DocumentKind } from '../apply/document-kind.js';
import { permissionsText } from '../identity/ownership.js';
import { ownershipLeaves } from '../identity/ownership-leaves.js';
import { changesIn } from '../shell/changes.js';
import { type Context, type Leaf, leaf } from '../shell/command.js';
import { nounOf } from '../shell/noun-of.js';
import { pairs, sizeOf } from '../shell/output.js';
import { removeLeaf } from '../shell/remove-leaf.js';
import { listAndShow, type Resource, report, resolve } from '../shell/resource.js';
import { stateText } from '../shell/state-colour.js';
import { SshOptions, sshOf, sshOptions } from './ssh-options.js';

const megabytes = (amount: number | undefined | null): string => (amount == null ? '-' : sizeOf(amount));

/** With what counts towards it. */
const limitText = ({ limit_mb, reserved_mb }: DatastoreResource): string =>
  limit_mb === null ? '-' : `${sizeOf(limit_mb)}, of which ${sizeOf(reserved_mb)} are taken`;
/** Where one is that is not on machines of Arcus. */
const placeOf = ({ s3, ssh }: DatastoreResource): string | null =>
  s3 ? `bucket ${s3.bucket}` : ssh ? `${ssh.user}@${ssh.host}:${ssh.directory}` : null;

export const datastores: Resource<typeof DatastoreResource, typeof DatastoreResource> = {
  ...nounOf('datastore'),
  item: DatastoreResource,
  whole: DatastoreResource,
  states: DatastoreState.options,
  columns: () => [
    { title: 'ID', text: ({ id }) => String(id), right: true },
    { title: 'NAME', text: ({ name }) => name, cut: true, kept: true },
    { title: 'TYPE', text: ({ type }) => type },
    { title: 'ADAPTER', text: ({ ds_mad }) => ds_mad },
    { title: 'CLUSTERS', text: ({ cluster_ids }) => cluster_ids.join(','), wide: true },
    { title: 'SIZE', text: ({ capacity }) => megabytes(capacity?.total), right: true },
    { title: 'FREE', text: ({ capacity }) => megabytes(capacity?.free), right: true },
    { title: 'LIMIT', text: ({ limit_mb }) => megabytes(limit_mb), right: true },
    { title: 'STATE', text: ({ state }) => state, colour: stateText, kept: true },
    { title: 'MONITORED', text: ({ monitored_at }) => monitored_at ?? 'never', wide: true },
    { title: 'ERROR', text: ({ error }) => error ?? '-', wide: true },
  ],
  text: (datastore) =>
    [
      `DATASTORE ${datastore.id} INFORMATION`,
      pairs([
        ['ID', String(datastore.id)],
        ['NAME', datastore.name],
        ['USER', datastore.uname],
        ['GROUP', datastore.gname],
        ['TYPE', datastore.type],
        ['ADAPTER', datastore.ds_mad],
        ['PLACE', placeOf(datastore)],
        ['CLUSTERS', datastore.cluster_ids.join(', ')],
        ['STATE', datastore.state],
        ['ERROR', datastore.error],
        ['TOTAL', megabytes(datastore.capacity?.total)],
        ['USED', megabytes(datastore.capacity?.used)],
        ['FREE', megabytes(datastore.capacity?.free)],
        ['LIMIT', limitText(datastore)],
        ['LAST MONITORED', datastore.monitored_at ?? 'never'],
      ]),
      '',
      permissionsText(datastore),
    ].join('\n'),
};

const Changes = z.object({
  limit: z
    .string()
    .regex(/^(\d{1,12}|none)$/, 'must be a number of MB, or none')
    .transform((text) => (text === 'none' ? null : Number(text)))
    .optional(),
  cluster: z
    .union([z.string(), z.array(z.string())])
    .transform((given) => [given].flat())
    .pipe(
      z.array(
        z
          .string()
          .regex(/^\d{1,15}$/, 'must be the id of a cluster')
          .transform(Number),
      ),
    )
    .optional(),
});
const changeOptions = [
  ['--limit <MB>', 'MB that it takes at most; none: as much as there is room for'],
  ['--cluster <id...>', 'clusters whose hosts reach it'],
] as const;
const changed = ({ limit, cluster }: z.output<typeof Changes>) => ({ limit_mb: limit, cluster_ids: cluster });

const s3Options = [
  ['--region <region>', 'of S3; default: us-east-1'],
  ['--s3-endpoint <address>', 'of a server that is not Amazon’s'],
  ['--path-style', 'the bucket stands in the path, not in the name of the server'],
  ['--access-key <key>', 'who Arcus is in S3'],
] as const;
const S3 = z.object({
  region: z.string().optional(),
  s3Endpoint: z.string().optional(),
  pathStyle: z.boolean().optional(),
  accessKey: z.string().optional(),
});
const s3Of = ({ region, s3Endpoint: endpoint, pathStyle, accessKey }: z.output<typeof S3>) => ({
  ...{ region, endpoint, force_path_style: pathStyle, access_key: accessKey },
});
const secretKey = async ({ secret }: Context) => ({ secret_key: await secret('Secret key of S3') });

async function update(context: Context, wish: string | undefined, body: Body): Promise<void> {
  const id = await resolve(context.client(), datastores, wish);
  const { value, raw } = await context.client().send('PATCH', `/datastores/${id}`, DatastoreResource, body);
  report(context, `datastore ${id} (${value.name}) is ${value.state}.`, raw);
}

const setState = (verb: string, state: string, summary: string): Leaf =>
  leaf({
    usage: `${verb} <datastore>`,
    summary,
    examples: [`arcus datastore ${verb} fast`],
    schema: z.object({}),
    run: (context, [wish]) => update(context, wish, json({ state })),
  });

export const datastoreCommands: readonly Leaf[] = [
  ...listAndShow(datastores),
  leaf({
    usage: 'create <name>',
    summary: 'Add a datastore',
    examples: [
      'arcus datastore create fast',
      'arcus datastore create kernels --type file --limit 2048',
      'arcus datastore create remote --ds-mad s3 --bucket images --region eu-central-1 --access-key AKIAIOSFODNN7EXAMPLE',
      'arcus datastore create far --ds-mad ssh --host store.example.org --user arcus --directory /srv/arcus --host-keys store.keys',
    ],
    options: [
      ['--type <type>', 'what it is for: image (default), system or file'],
      ['--ds-mad <kind>', 'which storage adapter drives it: fs (default), simulated, s3 or ssh'],
      ...changeOptions,
      ['--bucket <name>', 'of S3; the secret key is asked for, or read from standard input'],
      ['--prefix <prefix>', 'what names in the bucket begin with, such as arcus/'],
      ...s3Options,
      ['--directory <path>', 'of ssh: where it is on that machine'],
      ...sshOptions,
    ],
    schema: Changes.extend({ type: z.string().optional(), dsMad: z.string().optional() })
      .extend(S3.shape)
      .extend(SshOptions.shape)
      .extend({ bucket: z.string().optional(), prefix: z.string().optional(), directory: z.string().optional() }),
    run: async (context, [name], { type, dsMad, bucket, prefix, directory, ...rest }) => {
      const s3 = bucket === undefined ? {} : { s3: { bucket, prefix, ...s3Of(rest), ...(await secretKey(context)) } };
      const ssh = dsMad === 'ssh' ? { ssh: { directory, ...sshOf(rest) } } : {};
      const body = json({ name, type, ds_mad: dsMad, ...changed(rest), ...s3, ...ssh });
      const { value, raw } = await context.client().send('POST', '/datastores', DatastoreResource, body);
      report(context, `datastore ${value.id} (${value.name}) created.`, raw);
    },
  }),
  leaf({
    usage: 'update <datastore>',
    summary: 'Rename a datastore, limit it, or put it into clusters',
    examples: ['arcus datastore update fast --limit 512000', 'arcus datastore update 100 --name ssd --cluster 0 100'],
    options: [
      ['--name <name>', 'another name'],
      ...changeOptions,
      ...s3Options,
      ['--secret-key', 'another secret key of S3, which is asked for, or read from standard input'],
      ...sshOptions,
    ],
    schema: Changes.extend({ name: z.string().optional() })
      .extend(S3.shape)
      .extend(SshOptions.shape)
      .extend({ secretKey: z.boolean().optional() }),
    run: async (context, [wish], { name, secretKey: isSecret, ...rest }) => {
      const s3 = { ...s3Of(rest), ...(isSecret && (await secretKey(context))) };
      const isS3 = Object.values(s3).some((value) => value !== undefined);
      const ssh = sshOf(rest);
      const isSsh = Object.values(ssh).some((value) => value !== undefined);
      const changes = { name, ...changed(rest), s3: isS3 ? s3 : undefined, ssh: isSsh ? ssh : undefined };
      await update(context, wish, json(changesIn(changes, '--name, --limit, --cluster or by what it is reached')));
    },
  }),
  setState('enable', 'enabled', 'Let a datastore take new images again'),
  setState('disable', 'disabled', 'Let a datastore keep what it has and take nothing new'),
  ...ownershipLeaves(datastores, { called: 'fast' }),
  removeLeaf(datastores, { called: 'fast', summary: 'Remove a datastore that has no images' }),
];

/** A datastore in a document of `apply`. */
export const datastoreDocuments: DocumentKind = {
  ...nounOf('datastore'),
  wish: CreateDatastore,
  answer: DatastoreResource,
  asDocument: (object) => DatastoreResource.parse(object),
  update: 'PATCH',
};
