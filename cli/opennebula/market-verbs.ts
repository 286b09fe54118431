import { z } from 'zod';
import type { Client } from '../../client/client.js';
import { json } from '../../client/message.js';
import { AppResource } from '../../schemas/market/app.js';
import { MarketplaceResource } from '../../schemas/market/marketplace.js';
import { apps } from '../market/app.js';
import { markets } from '../market/market.js';
import { startOperation } from '../operations/start-operation.js';
import { serviceTemplates } from '../services/service-template.js';
import { Complaint } from '../shell/complaint.js';
import { attributesOfCoded } from '../shell/files/input.js';
import { resolve } from '../shell/resource.js';
import { datastores } from '../storage/datastore.js';
import { images } from '../storage/image.js';
import { vmTemplates } from '../vms/vm-template.js';
import { appList, appText, marketList, marketText } from './market-text.js';
import { type One, ownershipVerbs, showVerb, toEach, type Verb } from './one-program.js';
import { attributesIn } from './template-file.js';
import { listVerbs } from './top-verb.js';

async function marketNames(client: Client): Promise<ReadonlyMap<number, string>> {
  const all = await client.list(markets.path, MarketplaceResource);
  return new Map(all.map(({ value }) => [value.id, value.name]));
}

async function appsIn(client: Client): Promise<ReadonlyMap<number, number[]>> {
  const its = new Map<number, number[]>();
  for (const { value } of await client.list(apps.path, AppResource))
    its.set(value.market_id, [...(its.get(value.market_id) ?? []), value.id]);
  return its;
}

/** What of template text makes a marketplace; texts and numbers, names in upper case. */
const Text = z.union([z.string(), z.number()]).transform(String).optional();
const MarketText = z.looseObject({
  ...{ NAME: Text, DESCRIPTION: Text, MARKET_MAD: Text, BASE_URL: Text, PUBLIC_DIR: Text, BRIDGE_LIST: Text },
  ...{ ENDPOINT: Text, ACCESS_KEY_ID: Text, SECRET_ACCESS_KEY: Text, BUCKET: Text, REGION: Text },
  ...{ SIGNATURE_VERSION: Text, FORCE_PATH_STYLE: Text, TOTAL_MB: Text, READ_LENGTH: Text },
});

const numberOf = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));

/** The body that makes a marketplace, as OpenNebula's attributes say it. */
function marketBody(text: z.output<typeof MarketText>): object {
  if (text.BRIDGE_LIST !== undefined)
    throw new Complaint('usage', 'BRIDGE_LIST is not known: the directory is one of the workers.', {
      next: 'Mount PUBLIC_DIR where the workers are, and leave BRIDGE_LIST out.',
    });
  const { NAME: name, DESCRIPTION: description, MARKET_MAD: market_mad } = text;
  const http = { base_url: text.BASE_URL, public_dir: text.PUBLIC_DIR };
  const s3 = {
    ...{ bucket: text.BUCKET, region: text.REGION, endpoint: text.ENDPOINT, access_key: text.ACCESS_KEY_ID },
    ...{ secret_key: text.SECRET_ACCESS_KEY, signature_version: text.SIGNATURE_VERSION },
    ...(text.FORCE_PATH_STYLE !== undefined && { force_path_style: /^yes$/i.test(text.FORCE_PATH_STYLE) }),
    ...{ total_mb: numberOf(text.TOTAL_MB), read_length: numberOf(text.READ_LENGTH) },
  };
  const place = { http: { http }, s3: { s3 }, one: { one: { endpoint: text.ENDPOINT } } };
  return { name, description, market_mad, ...(isKind(market_mad) && place[market_mad]) };
}
const isKind = (name: string | undefined): name is 'http' | 's3' | 'one' =>
  name === 'http' || name === 's3' || name === 'one';

export const marketVerbs: readonly Verb[] = [
  ...listVerbs(markets, async (all, { client }) => {
    const its = await appsIn(client);
    return marketList(all, new Map([...its].map(([id, ids]) => [id, ids.length])));
  }),
  showVerb(markets, async (market, { client }) => marketText(market, (await appsIn(client)).get(market.id) ?? [])),
  {
    usage: 'create <file>',
    summary: 'Add one of template text: NAME, MARKET_MAD, and what that asks for',
    run: async ({ client, out, err }, [file = '-']) => {
      const body = json(marketBody(MarketText.parse(attributesIn(file))));
      const { value } = await client.send('POST', markets.path, MarketplaceResource, body);
      for (const warning of value.warnings) err(warning);
      out(`ID: ${value.id}`);
    },
  },
  {
    usage: 'rename <id> <name>',
    summary: 'Give it another name',
    run: toEach(markets, ({ client }, id, [name]) =>
      client.send('PATCH', `${markets.path}/${id}`, MarketplaceResource, json({ name })),
    ),
  },
  {
    usage: 'delete <ids>',
    summary: 'Remove it',
    run: toEach(markets, ({ client }, id) => client.send('DELETE', `${markets.path}/${id}`, z.undefined())),
  },
  ...ownershipVerbs(markets),
];

const AppText = z.looseObject({
  ...{ NAME: Text, ORIGIN_ID: Text, DESCRIPTION: Text, PUBLISHER: Text, VERSION: Text, TAGS: Text, TYPE: Text },
  ...{ MARKETPLACE_ID: Text, MARKETPLACE: Text, MARKETPLACE_NAME: Text },
  ...{ VMTEMPLATE64: Text, APPTEMPLATE64: Text, VMTEMPLATE: Text, APPTEMPLATE: Text },
});
const Given = z.object({
  marketplace: z.string().optional(),
  datastore: z.string().optional(),
  vmname: z.string().optional(),
  name: z.string().optional(),
  image: z.string().optional(),
  description: z.string().optional(),
});

/** Template text in Base64, as OpenNebula has it in an attribute: as its code spells that, or as its guide does. */
function templateIn(text: z.output<typeof AppText>, name: 'APPTEMPLATE' | 'VMTEMPLATE') {
  const coded = text[`${name}64`] ?? text[name];
  return coded === undefined ? undefined : attributesOfCoded(coded, name);
}

/** What an app is made of, by its TYPE. */
async function originOf(client: Client, type = 'IMAGE', origin: string | undefined): Promise<object> {
  const whole = { whole: true };
  switch (type.toUpperCase()) {
    case 'IMAGE':
      return { image_id: await resolve(client, images, origin, whole) };
    case 'VMTEMPLATE':
      return { vm_template_id: await resolve(client, vmTemplates, origin, whole) };
    case 'SERVICE_TEMPLATE':
      return { service_template_id: await resolve(client, serviceTemplates, origin, whole) };
    default:
      throw new Complaint('usage', `TYPE is ${type}.`, { next: 'Say IMAGE, VMTEMPLATE or SERVICE_TEMPLATE.' });
  }
}

const set = ({ client }: One, id: number, change: object) =>
  client.send('PATCH', `${apps.path}/${id}`, AppResource, json(change));

export const appVerbs: readonly Verb[] = [
  ...listVerbs(apps, async (all, { client }) => appList(all, await marketNames(client))),
  showVerb(apps, async (app, { client }) => appText(app, await marketNames(client))),
  {
    usage: 'create [file]',
    summary: 'Publish an image, of template text and of options',
    options: [
      ['-m, --marketplace <market>', 'where it is published'],
      ['--name <name>', 'of the app'],
      ['--image <image>', 'what it is made of'],
      ['--description <text>', 'what it is'],
    ],
    run: async ({ client, out, err }, [file], options) => {
      const given = Given.parse(options);
      const text = AppText.parse(file === undefined ? {} : attributesIn(file));
      const named = given.marketplace ?? text.MARKETPLACE_ID ?? text.MARKETPLACE_NAME ?? text.MARKETPLACE;
      const origin = given.image ?? text.ORIGIN_ID;
      const body = json({
        name: given.name ?? text.NAME,
        market_id: await resolve(client, markets, named, { whole: true }),
        ...(await originOf(client, given.image === undefined ? text.TYPE : 'IMAGE', origin)),
        ...{ description: given.description ?? text.DESCRIPTION, version: text.VERSION, publisher: text.PUBLISHER },
        tags: text.TAGS?.split(',').map((tag) => tag.trim()),
        app_template: templateIn(text, 'APPTEMPLATE'),
        vm_template: templateIn(text, 'VMTEMPLATE'),
      });
      const { value } = await startOperation({ client: () => client, err }, 'POST', apps.path, body);
      out(`ID: ${value.resource.id}`);
    },
  },
  {
    usage: 'export <app> <name>',
    summary: 'Make an image of it, and the VM template that comes with it',
    options: [
      ['-d, --datastore <datastore>', 'where the image is kept'],
      ['--vmname <name>', 'of the VM template'],
    ],
    run: async ({ client, out, err }, [wish, name], options) => {
      const { datastore, vmname: vm_template_name } = Given.parse(options);
      const id = await resolve(client, apps, wish, { whole: true });
      const into = datastore === undefined ? {} : { datastore_id: await resolve(client, datastores, datastore) };
      const body = json({ name, vm_template_name, ...into });
      const { value } = await startOperation({ client: () => client, err }, 'POST', `${apps.path}/${id}/export`, body);
      out(`IMAGE\n  ID: ${value.resource.id}\nVMTEMPLATE\n  ID: ${value.vm_template_id ?? -1}`);
    },
  },
  {
    usage: 'delete <ids>',
    summary: 'Remove it',
    run: toEach(apps, ({ client, err }, id) =>
      startOperation({ client: () => client, err }, 'DELETE', `${apps.path}/${id}`),
    ),
  },
  {
    usage: 'rename <id> <name>',
    summary: 'Give it another name',
    run: toEach(apps, (one, id, [name]) => set(one, id, { name })),
  },
  {
    usage: 'enable <ids>',
    summary: 'Let it be exported',
    run: toEach(apps, (one, id) => set(one, id, { state: 'enabled' })),
  },
  {
    usage: 'disable <ids>',
    summary: 'Let nobody export it',
    run: toEach(apps, (one, id) => set(one, id, { state: 'disabled' })),
  },
  ...ownershipVerbs(apps),
];
