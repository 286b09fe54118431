import { z } from 'zod';
import { json } from '../../client/message.js';
import { recordOf } from '../../schemas/common/record-of.js';
import { type QuotaKind, quotaKinds } from '../../schemas/identity/amounts.js';
import { DefaultQuotas, OwnQuotas, QuotaHolderType, QuotaResource } from '../../schemas/identity/quota.js';
import { type CountedKind, countedAs, countedKinds } from '../../schemas/kinds.js';
import { changesIn } from '../shell/changes.js';
import { type Context, type Leaf, leaf } from '../shell/command.js';
import { Complaint } from '../shell/complaint.js';
import { type Column, rawText, sizeOf, tableOf } from '../shell/output.js';
import { report, resolve } from '../shell/resource.js';
import { groups, users } from './people.js';
import { limitOf, noLimit, wordOf } from './quota-limit.js';
import { defaultsOnTable, limitsOn, onOptions, onTable } from './quota-on.js';

const usage = 'Add --help to see how it is used.';
const plain = (amount: number): string => String(amount);
const textOf: Record<QuotaKind | CountedKind, (amount: number) => string> = {
  ...recordOf([...quotaKinds, ...countedKinds], () => plain),
  memory: sizeOf,
  storage: sizeOf,
};
const titles = recordOf(countedKinds, (kind) => countedAs[kind].several.toUpperCase());

const usedOf = (quota: QuotaResource, kind: QuotaKind | CountedKind): string => {
  const its = quota[kind];
  if (!its) return '';
  const { used, effective } = its;
  return `${textOf[kind](used)}/${effective === null ? '-' : textOf[kind](effective)}`;
};
const limitText = (limit: number, kind: QuotaKind | CountedKind): string => wordOf(limit) ?? textOf[kind](limit);

const quotaTable = ({ wide, width }: Context, quotas: readonly QuotaResource[]): string =>
  tableOf(
    [
      { title: 'TYPE', text: ({ type }) => type },
      { title: 'ID', text: ({ id }) => String(id), right: true },
      { title: 'NAME', text: ({ name }) => name, cut: true, kept: true },
      ...quotaKinds.map(
        (kind): Column<QuotaResource> => ({
          title: kind.toUpperCase(),
          text: (quota) => usedOf(quota, kind),
          right: true,
        }),
      ),
      // They are many columns, and far from their limits as a rule.
      ...(wide || quotas.length === 1 ? countedKinds.filter((kind) => quotas.some((quota) => quota[kind])) : []).map(
        (kind): Column<QuotaResource> => ({ title: titles[kind], text: (quota) => usedOf(quota, kind), right: true }),
      ),
      { title: '', text: ({ exempt }) => (exempt ? 'never counted' : '') },
    ],
    quotas,
    wide ? null : width(),
  );

type Shown = DefaultQuotas['groups'] & Partial<DefaultQuotas['users']>;

const limitsTable = ({ users, groups }: DefaultQuotas): string =>
  tableOf(
    [
      { title: 'DEFAULT OF', text: ({ of }: { of: string; limits: Shown }) => of },
      ...quotaKinds.map((kind) => ({
        title: kind.toUpperCase(),
        text: ({ limits }: { limits: Shown }) => limitText(limits[kind], kind),
        right: true,
      })),
      ...countedKinds.map((kind) => ({
        title: titles[kind],
        text: ({ limits: { [kind]: limit } }: { limits: Shown }) => (limit === undefined ? '' : limitText(limit, kind)),
        right: true,
      })),
    ],
    [
      { of: 'users', limits: users },
      { of: 'groups', limits: groups },
    ],
  ) +
  defaultsOnTable([
    { of: 'users', limits: users },
    { of: 'groups', limits: groups },
  ]);

/** `user` or `group` and an id or a name, as the path of its quotas. */
async function pathOf(context: Context, type: string | undefined, wish: string | undefined): Promise<string> {
  const parsed = QuotaHolderType.safeParse(type);
  if (!parsed.success || wish === undefined)
    throw new Complaint('usage', 'Whose quotas? Give user or group, and an id or a name.', { next: usage });
  const client = context.client();
  const whole = { whole: true };
  return parsed.data === 'user'
    ? `/quotas/users/${await resolve(client, users, wish, whole)}`
    : `/quotas/groups/${await resolve(client, groups, wish, whole)}`;
}

const Limit = z
  .string()
  .transform(limitOf)
  .refine((limit) => !Number.isNaN(limit), noLimit);
const all = [...quotaKinds, ...countedKinds];
const flagOf = (kind: QuotaKind | CountedKind): string => `--${kind.replaceAll('_', '-')}`;
/** Options as the parser of the command line calls them: vmTemplates. */
const optionOf = (kind: QuotaKind | CountedKind): string =>
  kind.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
const Limits = z
  .object(Object.fromEntries(all.map((kind) => [optionOf(kind), Limit.optional()])))
  .and(z.object(onOptions.shape));
const limitOptions = [
  ['--services <limit>', 'services: a number, default or unlimited'],
  ['--vms <limit>', 'VMs, those of services among them'],
  ['--cpu <limit>', 'cores'],
  ['--memory <limit>', 'memory in MB'],
  ['--images <limit>', 'images'],
  ['--storage <limit>', 'sizes of images in MB'],
  ['--leases <limit>', 'addresses of virtual networks'],
  ...countedKinds.map((kind) => {
    const { several, those } = countedAs[kind];
    return [`${flagOf(kind)} <limit>`, `${several} of a user${those === undefined ? '' : ` ${those}`}`] as const;
  }),
  ...onOptions.options,
] as const;

const given = async (context: Context, limits: z.output<typeof Limits>) =>
  changesIn(
    {
      ...Object.fromEntries(all.map((kind) => [kind, limits[optionOf(kind)]])),
      ...(await limitsOn(context, limits)),
    },
    `${all.map(flagOf).join(', ')}, or of single ones ${onOptions.options.map(([flag]) => flag.split(' ')[0]).join(', ')}`,
  );

export const quotaCommands: readonly Leaf[] = [
  leaf({
    usage: 'list',
    summary: 'List what users and groups use, and their limits',
    examples: ['arcus quota list', 'arcus quota list -o json'],
    schema: z.object({}),
    run: async (context) => {
      const client = context.client();
      const found = [
        ...(await client.list('/quotas/users', QuotaResource)),
        ...(await client.list('/quotas/groups', QuotaResource)),
      ];
      if (context.format === 'table')
        context.out(
          quotaTable(
            context,
            found.map(({ value }) => value),
          ),
        );
      else
        context.out(
          rawText(
            context.format,
            found.map(({ raw }) => raw),
          ),
        );
    },
  }),
  leaf({
    usage: 'show [user|group] [whose]',
    summary: 'Show your quotas, or those of a user or group',
    examples: ['arcus quota show', 'arcus quota show user alice', 'arcus quota show group web-team'],
    schema: z.object({}),
    run: async (context, [type, whose]) => {
      if (type === undefined) {
        const { value, raw } = await context.client().get('/quotas', OwnQuotas);
        const shown = [value.user, ...value.groups];
        report(context, quotaTable(context, shown) + onTable(shown), raw);
        return;
      }
      const { value, raw } = await context.client().get(await pathOf(context, type, whose), QuotaResource);
      report(context, quotaTable(context, [value]) + onTable([value]), raw);
    },
  }),
  leaf({
    usage: 'set <user|group> <whose>',
    summary: 'Set limits of a user or group',
    examples: [
      'arcus quota set user alice --vms 10 --cpu 8',
      'arcus quota set group 100 --memory unlimited --services default',
      'arcus quota set user alice --leases 20 --network-leases public=2 --datastore-size default=50000 --image-vms windows=5',
    ],
    options: limitOptions,
    schema: Limits,
    run: async (context, [type, whose], limits) => {
      const body = json(await given(context, limits));
      const { value, raw } = await context
        .client()
        .send('PATCH', await pathOf(context, type, whose), QuotaResource, body);
      report(context, quotaTable(context, [value]) + onTable([value]), raw);
    },
  }),
  leaf({
    usage: 'defaults [users|groups]',
    summary: 'Show the default limits, or set those of users or groups',
    examples: ['arcus quota defaults', 'arcus quota defaults users --vms 20 --services 5'],
    options: limitOptions,
    schema: Limits,
    run: async (context, [type], limits) => {
      const client = context.client();
      if (type === undefined && Object.values(limits).every((limit) => limit === undefined)) {
        const { value, raw } = await client.get('/quotas/defaults', DefaultQuotas);
        report(context, limitsTable(value), raw);
        return;
      }
      if (type !== 'users' && type !== 'groups')
        throw new Complaint('usage', 'Whose defaults? Give users or groups.', { next: usage });
      const body = json({ [type]: await given(context, limits) });
      const { value, raw } = await client.send('PATCH', '/quotas/defaults', DefaultQuotas, body);
      report(context, limitsTable(value), raw);
    },
  }),
];
