import { z } from 'zod';
import type { QuotaResource } from '../../schemas/identity/quota.js';
import { byMeasure, MeasuredKind, measureIn } from '../../schemas/identity/quota-on.js';
import { kinds } from '../../schemas/kinds.js';
import type { Context } from '../shell/command.js';
import { Complaint } from '../shell/complaint.js';
import { nounOf } from '../shell/noun-of.js';
import { sizeOf, tableOf } from '../shell/output.js';
import { resolve } from '../shell/resource.js';
import { limitOf, noLimit, wordOf } from './quota-limit.js';

// Quotas on single networks, datastores and images, as options and as a table.

const Several = z
  .union([z.string(), z.array(z.string())])
  .transform((given) => [given].flat())
  .optional();

const measures = [
  { option: 'networkLeases', flag: '--network-leases', kind: 'network', what: 'leases' },
  { option: 'datastoreImages', flag: '--datastore-images', kind: 'datastore', what: 'images' },
  { option: 'datastoreSize', flag: '--datastore-size', kind: 'datastore', what: 'size' },
  { option: 'imageVms', flag: '--image-vms', kind: 'image', what: 'rvms' },
] as const;

export const onOptions = {
  shape: { networkLeases: Several, datastoreImages: Several, datastoreSize: Several, imageVms: Several },
  options: [
    ['--network-leases <network=limit...>', 'addresses of one network, by name or id'],
    ['--datastore-images <datastore=limit...>', 'images in one datastore'],
    ['--datastore-size <datastore=limit...>', 'sizes of images in one datastore in MB'],
    ['--image-vms <image=limit...>', 'VMs that have a disk of one image'],
  ],
} as const;

type Given = z.output<z.ZodObject<typeof onOptions.shape>>;
const Named = z.object({ id: z.int(), name: z.string() });

/** The limits on single resources that were given, in the words of the API; nothing where none was. */
export async function limitsOn(context: Context, given: Given): Promise<Record<string, object>> {
  const body: Record<string, Record<string, Record<string, number>>> = {};
  for (const { option, flag, kind, what } of measures)
    for (const text of given[option] ?? []) {
      const at = text.lastIndexOf('=');
      const limit = limitOf(text.slice(at + 1));
      if (at < 1 || Number.isNaN(limit))
        throw new Complaint('usage', `${flag}: ${JSON.stringify(text)} is not of the form NAME=LIMIT: it ${noLimit}.`, {
          next: `Such as: ${flag} ${kind === 'network' ? 'office' : 'default'}=10`,
        });
      const id = await resolve(context.client(), { ...nounOf(kind), item: Named }, text.slice(0, at), { whole: true });
      const its = body[`per_${kind}`] ?? {};
      its[id] = { ...its[id], [what]: limit };
      body[`per_${kind}`] = its;
    }
  return body;
}

type Row = { kind: MeasuredKind; id: number; what: string; used: number; limit: string };

const rowsOf = (quota: QuotaResource): Row[] =>
  [...byMeasure(quota)].flatMap(([key, { used, effective }]) => {
    const measure = measureIn(key);
    if (measure === null) return [];
    const limit = effective === null ? '-' : measure.what === 'size' ? sizeOf(effective) : String(effective);
    return [{ ...measure, used, limit }];
  });

/** What quotas say of single resources; empty: nothing. */
export function onTable(quotas: readonly QuotaResource[]): string {
  const rows = quotas.flatMap((quota) => rowsOf(quota).map((row) => ({ ...row, of: `${quota.type} ${quota.id}` })));
  if (rows.length === 0) return '';
  return `\n\n${tableOf(
    [
      { title: 'OF', text: ({ of }) => of },
      { title: 'ON', text: ({ kind }) => kinds[kind].one },
      { title: 'ID', text: ({ id }) => String(id), right: true },
      { title: 'WHAT', text: ({ what }) => what },
      {
        title: 'USED/LIMIT',
        text: ({ what, used, limit }) => `${what === 'size' ? sizeOf(used) : used}/${limit}`,
        right: true,
      },
    ],
    rows,
  )}`;
}

type DefaultsOn = Record<`per_${string}`, Record<string, Record<string, number>>>;

/** The same of default limits. */
export function defaultsOnTable(all: readonly { of: string; limits: DefaultsOn }[]): string {
  const rows = all.flatMap(({ of, limits }) =>
    MeasuredKind.options.flatMap((kind) =>
      Object.entries(limits[`per_${kind}`] ?? {}).flatMap(([id, its]) =>
        Object.entries(its).map(([what, limit]) => ({ of, kind, id, what, limit: wordOf(limit) ?? String(limit) })),
      ),
    ),
  );
  if (rows.length === 0) return '';
  return `\n\n${tableOf(
    [
      { title: 'DEFAULT OF', text: ({ of }) => of },
      { title: 'ON', text: ({ kind }) => kinds[kind].one },
      { title: 'ID', text: ({ id }) => String(id), right: true },
      { title: 'WHAT', text: ({ what }) => what },
      { title: 'LIMIT', text: ({ limit }) => limit, right: true },
    ],
    rows,
  )}`;
}
