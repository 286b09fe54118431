import { z } from 'zod';
import { atMost, limits } from '../common/limits.js';
import { recordOf } from '../common/record-of.js';

/** Whose quotas these are: one that is about a resource names it so. */
export const MeasuredKind = z.enum(['network', 'datastore', 'image']);
export type MeasuredKind = z.infer<typeof MeasuredKind>;

/** What of a resource is measured, in the order in which it is checked and told. */
const measuredOf = {
  network: ['leases'],
  datastore: ['images', 'size'],
  image: ['rvms'],
} as const satisfies Record<MeasuredKind, readonly string[]>;
type Measured<K extends MeasuredKind> = (typeof measuredOf)[K][number];

/** Something of each network, datastore or image by itself, by id: what of it there are quotas on, as in OpenNebula. */
export type PerResource<T> = { [K in MeasuredKind as `per_${K}`]: Record<string, Record<Measured<K>, T>> };

/** Amounts and limits of single resources are kept under these: `network/3/leases`. */
export const measureOf = <K extends MeasuredKind>(kind: K, id: number | string, what: Measured<K>): string =>
  `${kind}/${id}/${what}`;

/** What such a key is about; null: it is none. */
export function measureIn(key: string): { kind: MeasuredKind; id: number; what: Measured<MeasuredKind> } | null {
  const [kind, id, what] = key.split('/');
  const known = MeasuredKind.safeParse(kind);
  const found = known.success ? measuredOf[known.data].find((one) => one === what) : undefined;
  return known.success && found !== undefined ? { kind: known.data, id: Number(id), what: found } : null;
}

/** What there is under such keys, by resource; a resource is there whole if one of its keys is. */
export function perResource<T>(keys: Iterable<string>, of: (key: string) => T): PerResource<T> {
  const measures = [...keys].flatMap((key) => measureIn(key) ?? []);
  const resources = <K extends MeasuredKind>(kind: K): Record<string, Record<Measured<K>, T>> => {
    const all: readonly Measured<K>[] = measuredOf[kind];
    const its = measures.filter((measure) => measure.kind === kind);
    return Object.fromEntries(its.map(({ id }) => [id, recordOf(all, (what) => of(measureOf(kind, id, what)))]));
  };
  return { per_network: resources('network'), per_datastore: resources('datastore'), per_image: resources('image') };
}

/** The same back. */
export const byMeasure = <T>({ per_network, per_datastore, per_image }: PerResource<T>): Map<string, T> =>
  new Map([
    ...Object.entries(per_network).map(([id, { leases }]) => [measureOf('network', id, 'leases'), leases] as const),
    ...Object.entries(per_datastore).flatMap(([id, { images, size }]) => [
      [measureOf('datastore', id, 'images'), images] as const,
      [measureOf('datastore', id, 'size'), size] as const,
    ]),
    ...Object.entries(per_image).map(([id, { rvms }]) => [measureOf('image', id, 'rvms'), rvms] as const),
  ]);

const isId = (text: string): boolean => /^\d{1,9}$/.test(text);

/** By id of a resource, so many at most. */
const byId = <S extends z.ZodType>(shape: S, what: string) =>
  z
    .record(z.string(), shape)
    .superRefine((entries, context) => {
      const ids = Object.keys(entries);
      for (const id of ids) if (!isId(id)) context.addIssue({ code: 'custom', path: [id], message: 'must be an id' });
      if (ids.length > limits.quotaEntries.most) context.addIssue({ code: 'custom', message: atMost('quotaEntries') });
    })
    .meta({
      description: what,
      propertyNames: { pattern: '^[0-9]{1,9}$' },
      maxProperties: limits.quotaEntries.most,
    });

const said = {
  network: 'Of single virtual networks, by id: addresses of it',
  datastore: 'Of single datastores, by id: images in it, and their sizes in MB',
  image: 'Of single images, by id: VMs that have a disk of it',
} as const;
const of = {
  leases: 'Addresses of this network',
  images: 'Images in this datastore',
  size: 'Sizes of images in this datastore in MB',
  rvms: 'VMs that have a disk of this image',
} as const;

/** Shapes of what is said of single resources. `each`: of one amount or limit, from what it is on. */
const shapesOf = <T extends z.ZodType>(each: (what: string) => T) => ({
  network: z.strictObject({ leases: each(of.leases) }),
  datastore: z.strictObject({ images: each(of.images), size: each(of.size) }),
  image: z.strictObject({ rvms: each(of.rvms) }),
});

/** Limits of single resources, whole: those that are absent are none of their own. */
export function wholePerResource<T extends z.ZodType>(each: (what: string) => T) {
  const { network, datastore, image } = shapesOf(each);
  return {
    per_network: byId(network, said.network).prefault({}),
    per_datastore: byId(datastore, said.datastore).prefault({}),
    per_image: byId(image, said.image).prefault({}),
  };
}

/** A merge patch of that. */
export function patchPerResource<T extends z.ZodType>(each: (what: string) => T) {
  const { network, datastore, image } = shapesOf((what) => each(what).nullable().optional());
  const gone = '; null: no limit of its own';
  return {
    per_network: byId(network.nullable(), `${said.network}${gone}`).nullable().optional(),
    per_datastore: byId(datastore.nullable(), `${said.datastore}${gone}`).nullable().optional(),
    per_image: byId(image.nullable(), `${said.image}${gone}`).nullable().optional(),
  };
}

/** What is shown of single resources. */
export function shownPerResource<T extends z.ZodType>(each: (what: string) => T) {
  const { network, datastore, image } = shapesOf(each);
  const shown = <S extends z.ZodType>(shape: S, what: string) => z.record(z.string(), shape).describe(what);
  return {
    per_network: shown(network, said.network),
    per_datastore: shown(datastore, said.datastore),
    per_image: shown(image, said.image),
  };
}
