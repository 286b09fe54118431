import type { AppResource } from '../../schemas/market/app.js';
import type { MarketplaceResource } from '../../schemas/market/marketplace.js';
import { fact, momentText, row, sizeText, templateText } from './columns.js';
import { permissionsOf } from './one-program.js';

// `onemarket` and `onemarketapp` of OpenNebula 5.0.

const megabytes = (amount: number): string => sizeText(amount * 1_024).replace('.0', '');

const appStates = {
  ...{ INIT: 'ini', READY: 'rdy', LOCKED: 'lck', ERROR: 'err', DISABLED: 'dis' },
} as const satisfies Record<AppResource['state'], string>;
const appTypes = { IMAGE: 'img', VMTEMPLATE: 'tpl', SERVICE_TEMPLATE: 'srv' } as const;

/** `onemarket list`. `apps`: how many are in each. */
export const marketList = (markets: readonly MarketplaceResource[], apps: ReadonlyMap<number, number>): string =>
  [
    row(
      ...([
        ['ID', -4],
        ['NAME', 19],
        ['SIZE', -10],
        ['AVAIL', 5],
        ['APPS', -9],
        ['MAD', 8],
        ['ZONE', -4],
      ] as const),
    ),
    ...markets.map(({ id, name, capacity, market_mad }) =>
      row(
        [String(id), -4],
        [name, 19],
        [megabytes(capacity?.total ?? 0), -10],
        [capacity && capacity.total > 0 ? `${Math.trunc((100 * capacity.free) / capacity.total)}%` : '-', 5],
        [String(apps.get(id) ?? 0), -9],
        [market_mad, 8],
        ['0', -4],
      ),
    ),
  ].join('\n');

/** `onemarket show`. `apps`: the ids of those that are in it. A secret is in no template. */
export function marketText(market: MarketplaceResource, apps: readonly number[]): string {
  const { capacity, http, s3, one } = market;
  const facts = (given: readonly (readonly [string, string | number | undefined])[]): string[] =>
    given.flatMap(([name, value]) => fact(name, value, 15));
  const template = {
    MARKET_MAD: market.market_mad,
    ...(http && { BASE_URL: http.base_url, PUBLIC_DIR: http.public_dir }),
    ...(s3 && {
      ...{ ACCESS_KEY_ID: s3.access_key, BUCKET: s3.bucket, REGION: s3.region },
      ...(s3.endpoint !== null && { ENDPOINT: s3.endpoint }),
      ...{ FORCE_PATH_STYLE: s3.force_path_style ? 'YES' : 'NO', SIGNATURE_VERSION: s3.signature_version },
      ...{ TOTAL_MB: s3.total_mb, READ_LENGTH: s3.read_length },
    }),
    ...(one?.endpoint && { ENDPOINT: one.endpoint }),
    ...(market.description !== '' && { DESCRIPTION: market.description }),
    ...(market.error !== null && { ERROR: market.error }),
  };
  return [
    `MARKETPLACE ${market.id} INFORMATION`,
    ...facts([
      ['ID', market.id],
      ['NAME', market.name],
      ['USER', market.uname],
      ['GROUP', market.gname],
      ['MARKET_MAD', market.market_mad],
      ['STATE', market.state],
    ]),
    '',
    'MARKETPLACE CAPACITY',
    ...facts([
      ['TOTAL:', capacity ? megabytes(capacity.total) : '-'],
      ['FREE:', capacity ? megabytes(capacity.free) : '-'],
      ['USED:', capacity ? megabytes(capacity.used) : '-'],
    ]),
    '',
    ...permissionsOf(market.permissions),
    '',
    'MARKETPLACE TEMPLATE',
    ...templateText(template),
    '',
    'MARKETPLACE APPS',
    ...apps.map(String),
  ].join('\n');
}

const dateText = (moment: string): string => {
  const [year = '', month = '', day = ''] = moment.slice(0, 10).split('-');
  return `${month}/${day}/${year.slice(2)}`;
};

/** `onemarketapp list`. `names`: of the marketplaces. */
export const appList = (apps: readonly AppResource[], names: ReadonlyMap<number, string>): string =>
  [
    row(
      ...([
        ['ID', -4],
        ['NAME', 25],
        ['VERSION', 7],
        ['SIZE', -5],
        ['STAT', 4],
        ['TYPE', 4],
        ['REGTIME', 8],
        ['MARKET', 18],
      ] as const),
    ),
    ...apps.map((app) =>
      row(
        [String(app.id), -4],
        [app.name, 25],
        [app.version, 7],
        [megabytes(app.size_mb ?? 0), -5],
        [appStates[app.state], 4],
        [appTypes[app.type], 4],
        [dateText(app.created_at), 8],
        [names.get(app.market_id) ?? String(app.market_id), 18],
      ),
    ),
  ].join('\n');

const base64 = (attributes: Readonly<Record<string, unknown>>): string =>
  Buffer.from(templateText(attributes).join('\n')).toString('base64');

/** `onemarketapp show`. */
export function appText(app: AppResource, names: ReadonlyMap<number, string>): string {
  const facts = (given: readonly (readonly [string, string | number | undefined])[]): string[] =>
    given.flatMap(([name, value]) => fact(name, value, 15));
  return [
    `MARKETPLACE APP ${app.id} INFORMATION`,
    ...facts([
      ['ID', app.id],
      ['NAME', app.name],
      ['TYPE', app.type],
      ['USER', app.uname],
      ['GROUP', app.gname],
      ['MARKETPLACE', names.get(app.market_id) ?? app.market_id],
      ['STATE', appStates[app.state]],
    ]),
    '',
    ...permissionsOf(app.permissions),
    '',
    'DETAILS',
    ...facts([
      ['SOURCE', app.source ?? undefined],
      ['MD5', app.md5 ?? undefined],
      ['SHA256', app.sha256 ?? undefined],
      ['PUBLISHER', app.publisher],
      ['REGISTER TIME', momentText(new Date(app.created_at))],
      ['VERSION', app.version],
      ['DESCRIPTION', app.description],
      ['SIZE', app.size_mb === null ? undefined : megabytes(app.size_mb)],
      ['ORIGIN_ID', app.origin_id],
      ['FORMAT', app.format ?? undefined],
    ]),
    '',
    'IMPORT TEMPLATE',
    ...templateText(app.app_template),
    '',
    'MARKETPLACE APP TEMPLATE',
    ...(app.tags.length === 0 ? [] : [`TAGS="${app.tags.join(', ')}"`]),
    ...(app.vm_template === null ? [] : [`VMTEMPLATE64="${base64(app.vm_template)}"`]),
    ...(app.reason === null ? [] : [`ERROR="${app.reason.replaceAll('"', '\\"')}"`]),
  ].join('\n');
}
