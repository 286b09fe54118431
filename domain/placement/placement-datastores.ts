import { evaluateRank, judge } from '../expressions/evaluate.js';
import { parseRank, parseRequirement } from '../expressions/parse.js';
import type { DescribedHost } from '../hosts/host-attributes.js';
import { type DescribedDatastore, datastoreAttribute, mostIn, roomIn } from '../storage/datastore-attributes.js';
import type { Refusal } from './placement-refusals.js';

/** What the disks of a VM ask of a system datastore; `at`: they are in that one already. */
export type StorageWish = {
  mb: number;
  /** Of what kind it is to be: that of the datastore of each of their images. */
  kinds: readonly string[];
  at?: number | undefined;
  /** It takes one where there is one, and does without where there is none. */
  spare?: boolean;
  /** SCHED_DS_REQUIREMENTS and SCHED_DS_RANK. */
  requirements?: string | undefined;
  rank?: string | undefined;
};

/** A datastore as a plan fills it. */
type Planned = DescribedDatastore & { room: number | null };

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
    .map((one): Planned => ({ ...one, room: roomIn(one) }))
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
      const rank = ranking(wish.rank);
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
          if (best && best.room !== null) best.room -= mb;
          return best?._id;
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

function refusing({ mb, kinds, requirements = '' }: StorageWish): (datastore: Planned) => string | null {
  const parsed = parseRequirement(requirements);
  const kind = kinds.find((one) => one !== kinds[0]);
  return (datastore) => {
    const { _id, state, error, ds_mad, room } = datastore;
    const it = `datastore ${_id}`;
    if (kind !== undefined) return `its images are in ${kinds.join(' and ')} datastores, which cannot share one`;
    if (state !== 'READY') return `${it} is ${state}`;
    if (error !== null) return `${it} does not answer`;
    if (kinds[0] !== undefined && kinds[0] !== ds_mad)
      return `${it} is of kind ${ds_mad}, and its images of ${kinds[0]}`;
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

/** OpenNebula’s default, but one: the freest; of those that are alike the first. */
function ranking(text = ''): (datastore: Planned) => number {
  const parsed = text.trim() === '' ? null : parseRank(text);
  if (parsed?.ok) {
    const { value } = parsed;
    return (datastore) => evaluateRank(value, (name) => datastoreAttribute(datastore, name));
  }
  return ({ room }) => room ?? Number.POSITIVE_INFINITY;
}
