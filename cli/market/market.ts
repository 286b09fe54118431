import { z } from 'zod';
import { type Body, json } from '../../client/message.js';
import { CreateMarketplace, MarketplaceResource, MarketState } from '../../schemas/market/marketplace.js';
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

const megabytes = (amount: number | undefined | null): string => (amount == null ? '-' : sizeOf(amount));

const placeOf = ({ http, s3, one }: MarketplaceResource): string | null =>
  http ? `${http.base_url}, in ${http.public_dir}` : s3 ? `bucket ${s3.bucket}` : (one?.endpoint ?? null);

export const markets: Resource<typeof MarketplaceResource, typeof MarketplaceResource> = {
  ...nounOf('market'),
  item: MarketplaceResource,
  whole: MarketplaceResource,
  states: MarketState.options,
  columns: () => [
    { title: 'ID', text: ({ id }) => String(id), right: true },
    { title: 'NAME', text: ({ name }) => name, cut: true, kept: true },
    { title: 'KIND', text: ({ market_mad }) => market_mad },
    { title: 'SIZE', text: ({ capacity }) => megabytes(capacity?.total), right: true },
    { title: 'FREE', text: ({ capacity }) => megabytes(capacity?.free), right: true },
    { title: 'STATE', text: ({ state }) => state, colour: stateText, kept: true },
    { title: 'MONITORED', text: ({ monitored_at }) => monitored_at ?? 'never', wide: true },
    { title: 'ERROR', text: ({ error }) => error ?? '-', wide: true },
  ],
  text: (market) =>
    [
      `MARKETPLACE ${market.id} INFORMATION`,
      pairs([
        ['ID', String(market.id)],
        ['NAME', market.name],
        ['USER', market.uname],
        ['GROUP', market.gname],
        ['KIND', market.market_mad],
        ['PLACE', placeOf(market)],
        ['STATE', market.state],
        ['ERROR', market.error],
        ['TOTAL', megabytes(market.capacity?.total)],
        ['USED', megabytes(market.capacity?.used)],
        ['FREE', megabytes(market.capacity?.free)],
        ['LAST MONITORED', market.monitored_at ?? 'never'],
        ['DESCRIPTION', market.description],
        ...market.warnings.map((warning) => ['WARNING', warning] as const),
      ]),
      '',
      permissionsText(market),
    ].join('\n'),
};

const wholeNumber = z
  .string()
  .regex(/^\d{1,12}$/, 'must be a number')
  .transform(Number)
  .optional();

const Places = z.object({
  description: z.string().optional(),
  baseUrl: z.string().optional(),
  region: z.string().optional(),
  s3Endpoint: z.string().optional(),
  pathStyle: z.boolean().optional(),
  accessKey: z.string().optional(),
  totalMb: wholeNumber,
  readLength: wholeNumber,
  endpoint: z.string().optional(),
});
const placeOptions = [
  ['--description <text>', 'what it is for'],
  ['--base-url <address>', 'of http: where what is in its directory is read'],
  ['--endpoint <address>', 'of one: where its catalogue is'],
  ['--region <region>', 'of S3; default: us-east-1'],
  ['--s3-endpoint <address>', 'of a server that is not Amazon’s'],
  ['--path-style', 'the bucket stands in the path, not in the name of the server'],
  ['--access-key <key>', 'who Arcus is in S3'],
  ['--total-mb <MB>', 'that a bucket is said to take'],
  ['--read-length <MB>', 'of the parts in which an app is sent to S3'],
] as const;

const s3Of = ({ region, s3Endpoint, pathStyle, accessKey, totalMb, readLength }: z.output<typeof Places>) => ({
  ...{ region, endpoint: s3Endpoint, force_path_style: pathStyle, access_key: accessKey },
  ...{ total_mb: totalMb, read_length: readLength },
});
const secretKey = async ({ secret }: Context) => ({ secret_key: await secret('Secret key of S3') });
const given = <T extends object>(members: T): T | undefined =>
  Object.values(members).some((value) => value !== undefined) ? members : undefined;

async function update(context: Context, wish: string | undefined, body: Body): Promise<void> {
  const id = await resolve(context.client(), markets, wish);
  const { value, raw } = await context.client().send('PATCH', `${markets.path}/${id}`, MarketplaceResource, body);
  report(context, `marketplace ${id} (${value.name}) is ${value.state}.`, raw);
}

const setState = (verb: string, state: string, summary: string): Leaf =>
  leaf({
    usage: `${verb} <market>`,
    summary,
    examples: [`arcus market ${verb} 0`],
    schema: z.object({}),
    run: (context, [wish]) => update(context, wish, json({ state })),
  });

export const marketCommands: readonly Leaf[] = [
  ...listAndShow(markets),
  leaf({
    usage: 'create <name>',
    summary: 'Add a marketplace',
    examples: [
      'arcus market create corporate --kind http --base-url http://market.example.org/apps --public-dir /srv/market',
      'arcus market create archive --kind s3 --bucket apps --region eu-central-1 --access-key AKIAIOSFODNN7EXAMPLE',
      'arcus market create partner --kind one --endpoint https://cloud.example.org:9880',
    ],
    options: [
      ['--kind <kind>', 'which adapter drives it: http, s3 or one'],
      ['--public-dir <path>', 'of http: directory of the workers that a web server gives'],
      ['--bucket <name>', 'of S3; the secret key is asked for, or read from standard input'],
      ...placeOptions,
    ],
    schema: Places.extend({
      kind: z.string().optional(),
      publicDir: z.string().optional(),
      bucket: z.string().optional(),
    }),
    run: async (context, [name], { kind, publicDir, bucket, description, ...places }) => {
      const s3 = bucket === undefined ? {} : { s3: { bucket, ...s3Of(places), ...(await secretKey(context)) } };
      const http = given({ base_url: places.baseUrl, public_dir: publicDir });
      const one = given({ endpoint: places.endpoint });
      const body = json({ name, description, market_mad: kind, http, one, ...s3 });
      const { value, raw } = await context.client().send('POST', markets.path, MarketplaceResource, body);
      report(context, `marketplace ${value.id} (${value.name}) created.`, raw);
    },
  }),
  leaf({
    usage: 'update <market>',
    summary: 'Rename a marketplace, describe it, or change how it is reached',
    examples: [
      'arcus market update corporate --base-url https://market.example.org/apps',
      'arcus market update 100 --name company',
    ],
    options: [
      ['--name <name>', 'another name'],
      ...placeOptions,
      ['--secret-key', 'another secret key of S3, which is asked for, or read from standard input'],
    ],
    schema: Places.extend({ name: z.string().optional(), secretKey: z.boolean().optional() }),
    run: async (context, [wish], { name, secretKey: isSecret, description, ...places }) => {
      const s3 = given({ ...s3Of(places), ...(isSecret && (await secretKey(context))) });
      const http = given({ base_url: places.baseUrl });
      const one = given({ endpoint: places.endpoint });
      const changes = { name, description, http, s3, one };
      await update(context, wish, json(changesIn(changes, '--name, --description or by what it is reached')));
    },
  }),
  setState('enable', 'enabled', 'Have a marketplace looked at, and give and take apps'),
  setState('disable', 'disabled', 'Have nothing asked of a marketplace'),
  ...ownershipLeaves(markets, { called: 'corporate' }),
  removeLeaf(markets, { called: 'corporate', summary: 'Remove a marketplace that has no apps' }),
];

/** A marketplace in a document of `apply`. */
export const marketDocuments: DocumentKind = {
  ...nounOf('market'),
  wish: CreateMarketplace,
  answer: MarketplaceResource,
  asDocument: (object) => MarketplaceResource.parse(object),
  update: 'PATCH',
};
