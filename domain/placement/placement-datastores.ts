import { evaluateRank, judge } from '../expressions/evaluate.js';
import { parseRank, parseRequirement } from '../expressions/parse.js';
import type { DescribedHost } from '../hosts/host-attributes.js';
import { type DescribedDatastore, datastoreAttribute, mostIn, roomIn } from '../storage/datastore-attributes.js';
import { canBring } from '../storage/image-copies.js';
import type { Refusal } from './placement-refusals.js';

/** What the disks of a VM ask of a system datastore; `at`: they are in that one already. */
export type StorageWish = {
  mb: number;
  /** Of what kinds the datastores of their images are. */
  kinds: readonly string[];
  /** Those images: beside it, or brought there. Absent: those that are beside datastores of these kinds alone. */
  images?: readonly WishedImage[];
  at?: number | undefined;
  /** It takes one where there is one, and does without where there is none. */
  spare?: boolean;
  /** SCHED_DS_REQUIREMENTS and SCHED_DS_RANK. */
  requirements?: string | undefined;
  rank?: string | undefined;
};

/** An image that a disk is to stand on, or to be; `mb`: it takes so much where it is brought to. */
export type WishedImage = {
  id: number;
  name: string;
  datastore: number;
  ds_mad: string;
  persistent: boolean;
  mb: number;
};

/** A datastore as a plan fills it. `brought`: images that are there of others, or will be. */
type Planned = DescribedDatastore & { room: number | null; brought: Set<number> };

const isHere = ({ ds_mad, beside }: DescribedDatastore, image: WishedImage): boolean =>
  beside?.includes(image.datastore) ?? image.ds_mad === ds_mad;

/** Images that a datastore does not have yet, and lie elsewhere. */
const toBring = (one: Planned, { images = [] }: StorageWish): WishedImage[] =>
  images.filter((image) => !isHere(one, image) && !one.brought.has(image.id));
const megabytes = (images: readonly WishedImage[]): number => images.reduce((sum, { mb }) => sum + mb, 0);

/** Why an image can be no disk in a datastore; null: it can. */
function whyNotIn(one: Planned, image: WishedImage): string | null {
  if (isHere(one, image)) return null;
  const { _id, ds_mad } = one;
  if (!canBring(image.ds_mad, ds_mad))
    return `datastore ${_id} is of kind ${ds_mad}, and its images of ${image.ds_mad}`;
  const { id, name, persistent } = image;
  return persistent
    ? `datastore ${_id} lies elsewhere than image ${id} (${name}), which is persistent and used where it lies`
    : null;
}

type Reaching = Pick<DescribedHost, 'cluster'>;

export type StorageDemand = {
  /** null: a datastore that the host reaches will do. */
  refuses(host: Reaching): Refusal | null;
  /** Takes room in the best of those that the host reaches; undefined: none will do. */
  take(host: Reaching): number | undefined;
};

const reaches = ({ cluster }: Reaching, { cluster_ids }: DescribedDatastore): boolean =>
  cluster_ids.includes(cluster?.id ?? 0);

/** What VMs ask of datastores, for one plan: each is as full as what has been planned leaves it. */
export function createStorageDemands(datastores: readonly DescribedDatastore[] = []) {
  const all = datastores
    .map((one): Planned => ({ ...one, room: roomIn(one), brought: new Set(one.copies) }))
    .sort((one, other) => one._id - other._id);
  return {
    of(wish: StorageWish): StorageDemand {
      const { at, mb } = wish;
      if (at !== undefined)
        return staying(
          all.find(({ _id }) => _id === at),
          at,
        );
      const why = refusing(wish);
      const rank = ranking(wish);
      const reached = (host: Reaching): Planned[] => all.filter((one) => reaches(host, one));
      return {
        refuses(host) {
          if (wish.spare) return null;
          const some = reached(host);
          if (some.length === 0) return { text: 'has no system datastore in its cluster', note: null };
          const found = some.map((one) => why(one));
          if (found.includes(null)) return null;
          const reasons = [...new Set(found)];
          const told = reasons.slice(0, mostTold).join(', ');
          return {
            text: `has no datastore for its disks: ${told}${reasons.length > mostTold ? ' …' : ''}`,
            note: null,
          };
        },
        take(host) {
          let best: Planned | undefined;
          for (const one of reached(host))
            if (why(one) === null && (best === undefined || rank(one) > rank(best))) best = one;
          if (!best) return;
          const coming = toBring(best, wish);
          if (best.room !== null) best.room -= mb + megabytes(coming);
          for (const { id } of coming) best.brought.add(id);
          return best._id;
        },
      };
    },
  };
}

/** Datastores that a refusal tells of. */
const mostTold = 3;

/** Where the disks of a VM are they stay, whatever has become of the datastore. */
const staying = (datastore: Planned | undefined, at: number): StorageDemand => ({
  refuses: (host) =>
    datastore && reaches(host, datastore)
      ? null
      : { text: `has no way to datastore ${at}, where its disks are`, note: null },
  take: () => at,
});

function refusing(wish: StorageWish): (datastore: Planned) => string | null {
  const { mb: own, kinds, images, requirements = '' } = wish;
  const parsed = parseRequirement(requirements);
  // Bytes are not brought to where they are counted alone, nor what was counted to where bytes are.
  const apart = images ? kinds.includes('simulated') && kinds.length > 1 : kinds.some((one) => one !== kinds[0]);
  const counted = kinds[0] === 'simulated';
  return (datastore) => {
    const { _id, state, error, ds_mad, room } = datastore;
    const it = `datastore ${_id}`;
    if (apart) return `its images are in ${kinds.join(' and ')} datastores, which cannot share one`;
    if (state !== 'READY') return `${it} is ${state}`;
    if (error !== null) return `${it} does not answer`;
    if (kinds[0] !== undefined && kinds[0] !== ds_mad && (!images || counted))
      return `${it} is of kind ${ds_mad}, and its images of ${kinds[0]}`;
    const unfit = images?.map((image) => whyNotIn(datastore, image)).find((why) => why !== null);
    if (unfit != null) return unfit;
    const mb = own + megabytes(toBring(datastore, wish));
    if (!parsed.ok) {
      const { line, column, detail } = parsed.fault;
      return `SCHED_DS_REQUIREMENTS cannot be read, line ${line}, column ${column}: ${detail}`;
    }
    const { verdict, deciders } = judge(parsed.value, (name) => datastoreAttribute(datastore, name));
    if (verdict !== true)
      return `${it}: ${deciders
        .slice(0, 3)
        .map(({ text }) => text)
        .join(', ')}`;
    const most = mostIn(datastore);
    if (most !== null && most < mb)
      return `${it} holds ${most} MB in all, and they may come to ${mb} MB: it never takes them`;
    return room !== null && room < mb ? `${it} has room for ${room} MB, and they may come to ${mb} MB` : null;
  };
}

/** OpenNebula’s default, but one: the freest, of those first to which least is to be brought; of those that are alike the first. */
function ranking({ rank: text = '', ...wish }: StorageWish): (datastore: Planned) => number {
  const parsed = text.trim() === '' ? null : parseRank(text);
  if (parsed?.ok) {
    const { value } = parsed;
    return (datastore) => evaluateRank(value, (name) => datastoreAttribute(datastore, name));
  }
  return (datastore) => {
    const coming = megabytes(toBring(datastore, wish));
    return coming > 0 ? -coming : (datastore.room ?? Number.POSITIVE_INFINITY);
  };
}
