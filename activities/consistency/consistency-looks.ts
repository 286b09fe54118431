import { targetOf } from '../../adapters/hypervisor/host-target.js';
import type { Flaw } from '../../domain/consistency/evidence.js';
import type { Section } from '../../domain/consistency/flaw-kinds.js';
import {
  isServiceMoving,
  namedOperations,
  type SeenService,
  type SeenVm,
  type Surroundings,
} from '../../domain/consistency/hands.js';
import { judgeImagesOfVms, usedBy } from '../../domain/consistency/judge-disks.js';
import { type Heard, judgeHosts } from '../../domain/consistency/judge-hosts.js';
import type { SeenImage } from '../../domain/consistency/judge-images.js';
import { judgeHolders, judgeNics, saidBy } from '../../domain/consistency/judge-leases.js';
import {
  judgeCounters,
  judgeOperations,
  judgeRuns,
  type OpenRun,
  type SeenOperation,
} from '../../domain/consistency/judge-operations.js';
import { judgeOwners, type SeenOwner } from '../../domain/consistency/judge-owners.js';
import { judgeQuotas } from '../../domain/consistency/judge-quotas.js';
import { judgeKeptNetworks, judgeMadeNetworks } from '../../domain/consistency/judge-service-networks.js';
import { judgeServices } from '../../domain/consistency/judge-services.js';
import { judgeVms } from '../../domain/consistency/judge-vms.js';
import { isOff } from '../../domain/hosts/host-states.js';
import { leaseKey } from '../../domain/networks/lease-key.js';
import { portionsOf } from '../../domain/portions.js';
import { problemOf } from '../../domain/problems.js';
import { madeOf } from '../../domain/services/made-networks.js';
import { placeOf } from '../../domain/vms/stays.js';
import { isVmOffHost } from '../../domain/vms/vm-states.js';
import { abortedAfter } from '../../schemas/common/aborted-after.js';
import type { Compared } from '../../schemas/consistency/consistency.js';
import type { Operation } from '../../schemas/operations/operation.js';
import type { Portion, SeenHostDocument } from '../../store/consistency/consistency-reads.js';
import type { Store } from '../../store/store.js';
import type { StepPorts } from '../ports.js';

export type LookPorts = Pick<StepPorts, 'store' | 'directory' | 'engine' | 'hypervisors' | 'storages' | 'markets'> & {
  signal: AbortSignal;
};

/** What a page of a section came to, and where the next begins; null: there is none. */
export type Look = { flaws: Flaw[]; compared: Partial<Compared>; next: Cursor };

/** Where a page begins: after this id, or page of a list; null: at the beginning. */
export type Cursor = number | string | null;

/** How a section is looked at: from the beginning, or once more at some of it. */
export type Looks = {
  page(after: Cursor): Promise<Look>;
  again(ids: readonly (number | string)[]): Promise<Flaw[]>;
};

/** Documents of a page, hosts of a batch, calls to the engine and reads by id at a time. */
const size = { leases: 2_000, documents: 500, services: 200, hosts: 50, calls: 20 };
const probeTimeout = 4_000;

/** Every section but those of images, datastores and marketplaces, looked at by the same code the first time and the second. */
export const looksOf = (ports: LookPorts): Record<Exclude<Section, 'images' | 'datastores' | 'markets'>, Looks> => ({
  counters: {
    page: async () => ({ flaws: await judgedCounters(ports), compared: {}, next: null }),
    again: () => judgedCounters(ports),
  },
  operations: {
    page: async (after) => {
      const found = await ports.store.consistency.reads.openOperations({ after: text(after), limit: size.documents });
      const flaws = await judgedOperations(ports, found);
      return { flaws, compared: { operations: found.length }, next: lastOf(found, size.documents) };
    },
    again: async (ids) =>
      judgedOperations(ports, await ports.store.consistency.reads.openOperations({ ids: texts(ids) })),
  },
  runs: {
    page: async (page) => {
      const { runs, next } = await ports.engine.openRuns(text(page));
      const states = await ports.store.consistency.reads.statesOf(runs.flatMap(({ op }) => op ?? []));
      const now = new Date();
      // The list lags: it only says which are worth asking for.
      const doubtful = judgeRuns(
        runs.map((run) => ({ ...run, firstRunId: '' })),
        states,
        now,
      );
      const ids = doubtful.flatMap(({ seen }) => ('workflowId' in seen ? [seen.workflowId] : []));
      return { flaws: await judgedRuns(ports, ids), compared: { runs: runs.length }, next };
    },
    again: (ids) => judgedRuns(ports, texts(ids)),
  },
  vms: {
    page: async (after) => {
      const found = await ports.store.consistency.reads.vms({ after: number(after), limit: size.documents });
      const living = found.filter(({ state }) => state !== 'DONE').length;
      return { flaws: await judgedVms(ports, found), compared: { vms: living }, next: lastOf(found, size.documents) };
    },
    again: async (ids) => judgedVms(ports, await ports.store.consistency.reads.vms({ ids: numbers(ids) })),
  },
  services: {
    page: async (after) => {
      const found = await ports.store.consistency.reads.services({ after: number(after), limit: size.services });
      const living = found.filter(({ state }) => state !== 'DONE').length;
      const flaws = await judgedServices(ports, found);
      return { flaws, compared: { services: living }, next: lastOf(found, size.services) };
    },
    again: async (ids) => judgedServices(ports, await ports.store.consistency.reads.services({ ids: numbers(ids) })),
  },
  hosts: {
    page: (after) => lookAtHosts(ports, { after: number(after), limit: size.hosts }),
    again: async (ids) => {
      const flaws: Flaw[] = [];
      for (const some of portionsOf(numbers(ids), size.hosts))
        flaws.push(...(await lookAtHosts(ports, { ids: some })).flaws);
      return flaws;
    },
  },
});

const number = (after: Cursor): number | null => (typeof after === 'number' ? after : null);
const text = (after: Cursor): string | null => (typeof after === 'string' ? after : null);
const numbers = (ids: readonly (number | string)[]) => ids.filter((id) => typeof id === 'number');
const texts = (ids: readonly (number | string)[]) => ids.filter((id) => typeof id === 'string');

const lastOf = <Id>(found: readonly { _id: Id }[], limit: number): Id | null =>
  found.length < limit ? null : (found.at(-1)?._id ?? null);

/** Results in the order of the items, so many at a time. */
async function fewAtATime<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const some of portionsOf(items, size.calls)) results.push(...(await Promise.all(some.map(work))));
  return results;
}

/** Whatever is beside the documents that are counted or owned: ids that were given, quotas, users and groups. */
async function judgedCounters({ store, directory }: LookPorts): Promise<Flaw[]> {
  const [counters, balances] = await Promise.all([store.consistency.reads.counters(), store.quotas.balances()]);
  const owners = [
    ...(await seenOwners(store, 'user', directory.users)),
    ...(await seenOwners(store, 'group', directory.groups)),
  ];
  const strays = [...(await judgedHolders(store)), ...(await judgedKept(store))];
  return [...judgeCounters(counters), ...judgeQuotas(balances), ...judgeOwners(owners), ...strays];
}

/** Every address that a VM or a network has, by so many at a time. Who has it is read after it: it came with that, and goes with it. */
async function judgedHolders({ consistency: { reads } }: Store): Promise<Flaw[]> {
  const flaws: Flaw[] = [];
  for (let after = -1; ; ) {
    const leases = await reads.leasesAfter(after, size.leases);
    flaws.push(...judgeHolders(leases, await reads.holdersThere(leases)));
    const last = lastOf(leases, size.leases);
    if (last === null) return flaws;
    after = last;
  }
}

/** The networks are read before what services say of them: one that is made meanwhile is said by then. */
async function judgedKept({ consistency: { reads } }: Store): Promise<Flaw[]> {
  const kept = await reads.networksOfServices();
  const ids = [...new Set(kept.map(({ service }) => service))];
  return kept.length === 0 ? [] : judgeKeptNetworks(kept, await reads.services({ ids }));
}

/** The owners are read before those that there are: who is made meanwhile is known. */
async function seenOwners(
  { owned }: Store,
  type: 'user' | 'group',
  known: { namesOf: (ids: readonly number[]) => Promise<ReadonlyMap<number, string>> },
): Promise<SeenOwner[]> {
  const field = type === 'user' ? 'uid' : 'gid';
  const ids = await owned.owners(field);
  const there = await known.namesOf(ids);
  const seen: SeenOwner[] = [];
  for (const id of ids) {
    const exists = there.has(id);
    const owns = exists ? null : await owned.by(type === 'user' ? { uid: id } : { gid: id });
    seen.push({ holder: { type, id }, exists, owns });
  }
  return seen;
}

async function judgedOperations({ store, engine }: LookPorts, found: readonly Operation[]): Promise<Flaw[]> {
  const known = await store.consistency.reads.known(found);
  const seen = await fewAtATime(found, async (operation): Promise<SeenOperation> => {
    const isParked = operation.state === 'waiting' || operation.state === 'waiting_for_you';
    const run = isParked ? null : await engine.latestRun(operation.workflow_id);
    return { ...operation, run, isKnown: known.has(operation._id) };
  });
  return judgeOperations(seen, new Date());
}

async function judgedRuns({ store, engine }: LookPorts, workflowIds: readonly string[]): Promise<Flaw[]> {
  const runs = await fewAtATime(workflowIds, async (workflowId): Promise<OpenRun[]> => {
    const run = await engine.latestRun(workflowId);
    return run?.status === 'open' ? [{ workflowId, firstRunId: run.firstRunId, op: run.op }] : [];
  });
  const open = runs.flat();
  return judgeRuns(open, await store.consistency.reads.statesOf(open.flatMap(({ op }) => op ?? [])), new Date());
}

/** Read after the documents in question: what has ended between the two reads is another thing at the next look. */
export async function surroundings(
  store: Store,
  vms: readonly SeenVm[],
  {
    also = [],
    hosts = [],
  }: { also?: readonly SeenService[]; hosts?: readonly Pick<SeenHostDocument, 'operation'>[] } = {},
): Promise<Surroundings> {
  const ids = [...new Set(vms.flatMap(({ service }) => (service ? [service.id] : [])))];
  const services = [...also, ...(ids.length > 0 ? await store.consistency.reads.services({ ids }) : [])];
  return {
    services: new Map(services.map((service) => [service._id, service])),
    operations: await store.consistency.reads.statesOf(namedOperations(vms, services, hosts)),
  };
}

async function judgedVms({ store }: LookPorts, vms: readonly SeenVm[]): Promise<Flaw[]> {
  const known = await surroundings(store, vms);
  const placed = vms.filter((vm) => !isVmOffHost(vm) && placeOf(vm));
  const hosts = [...new Set(placed.flatMap((vm) => placeOf(vm)?.hid ?? []))];
  const reserved = await store.consistency.reads.reserved(
    hosts,
    placed.map(({ _id }) => _id),
  );
  const operationsOn = await store.consistency.reads.operationsOn(
    'vm',
    vms.map(({ _id }) => _id),
  );
  const unfinished = await store.consistency.reads.unfinished(
    vms.filter(({ state, service }) => state === 'PENDING' && service === null).map(({ _id }) => _id),
  );
  const places = vms.flatMap(saidBy).map(({ place }) => leaseKey(place));
  const had = await store.consistency.reads.leasesOf(vms.map(({ _id }) => _id));
  const at = await store.consistency.reads.holdersAt(places);
  const images = await imagesById(store, [...new Set(vms.flatMap(usedBy))]);
  return [
    ...judgeVms(vms, { ...known, reserved, operationsOn, unfinished }),
    ...judgeNics(vms, { ...known, had, at }),
    ...judgeImagesOfVms(vms, { ...known, images }),
  ];
}

async function imagesById({ consistency: { images } }: Store, ids: readonly number[]): Promise<Map<number, SeenImage>> {
  const found = new Map<number, SeenImage>();
  for (const some of portionsOf(ids, size.documents))
    for (const image of await images.byIds(some)) found.set(image._id, image);
  return found;
}

async function judgedServices({ store }: LookPorts, services: readonly SeenService[]): Promise<Flaw[]> {
  const { operations } = await surroundings(store, [], { also: services });
  const ids = services.map(({ _id }) => _id);
  const still = services.filter((service) => !isServiceMoving(service, operations));
  const made = still.flatMap(madeOf).map(({ id }) => id);
  const lacking = judgeMadeNetworks(still, await store.consistency.reads.networksThere(made));
  const flaws = judgeServices(services, {
    operations,
    counts: await store.consistency.reads.counts(ids),
    operationsOn: await store.consistency.reads.operationsOn('service', ids),
  });
  return [...flaws, ...lacking];
}

/** The hosts are asked first: a domain that a document says to be there was there when it said so. */
async function lookAtHosts(ports: LookPorts, portion: Portion<number>): Promise<Look> {
  const { reads } = ports.store.consistency;
  const found = await reads.hosts(portion);
  const heard = await Promise.all(found.map((host) => probe(ports, host)));
  // The books may have changed while the hosts were asked.
  const books = new Map((await reads.hosts({ ids: found.map(({ _id }) => _id) })).map((host) => [host._id, host]));
  const hosts = found.flatMap((host, at) => {
    const book = books.get(host._id);
    return book ? [{ ...book, heard: heard[at] ?? null }] : [];
  });
  const ids = hosts.flatMap((host) => [
    ...Object.keys(host.vms).map(Number),
    ...(host.heard && 'domains' in host.heard ? host.heard.domains.map(({ vm }) => vm) : []),
  ]);
  const vms: SeenVm[] = [];
  for (const some of portionsOf([...new Set(ids)], size.documents)) vms.push(...(await reads.vms({ ids: some })));
  const known = await surroundings(ports.store, vms, { hosts });
  const domains = heard.reduce((sum, said) => sum + (said && 'domains' in said ? said.domains.length : 0), 0);
  return {
    flaws: judgeHosts(hosts, { ...known, vms: new Map(vms.map((vm) => [vm._id, vm])) }),
    // One that is silent now and answers at the second look is no finding, and has not been compared.
    compared: { hosts: heard.filter((said) => said === null || 'domains' in said).length, domains },
    next: 'ids' in portion ? null : lastOf(found, portion.limit),
  };
}

/** Asks twice: whoever is late once on a crowded machine would leave its domains uncompared. */
async function probe(ports: LookPorts, host: SeenHostDocument): Promise<Heard> {
  if (isOff(host)) return null;
  const heard = await probeOnce(ports, host);
  return 'domains' in heard ? heard : probeOnce(ports, host);
}

async function probeOnce({ hypervisors, signal }: LookPorts, host: SeenHostDocument): Promise<Exclude<Heard, null>> {
  try {
    const bounded = abortedAfter(signal, probeTimeout);
    const target = targetOf(host);
    const { domains } = await hypervisors.of(target).probe(target, bounded);
    return { domains };
  } catch (error) {
    signal.throwIfAborted();
    return { error: problemOf(error)?.message ?? `the probe took longer than ${probeTimeout / 1000} s` };
  }
}
