import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { brief, longest } from '../../domain/brief.js';
import { isOpen } from '../../domain/operation-states.js';
import { operationAtWork } from '../../domain/operations/at-work.js';
import { problemOf, problems } from '../../domain/problems.js';
import {
  type FlushFacts,
  type FlushVm,
  planFlush,
  roleOf,
  servingOf,
  whyNotFree,
} from '../../domain/vms/host-flush.js';
import { placeOf } from '../../domain/vms/stays.js';
import { vmStateName } from '../../domain/vms/vm-states.js';
import { defaultCluster } from '../../schemas/hosts/cluster.js';
import type { Host } from '../../schemas/hosts/host.js';
import type { Flushed } from '../../schemas/operations/flushed.js';
import { isFlush, type Operation } from '../../schemas/operations/operation.js';
import type { SeenVm } from '../../store/vms/flushes.js';
import { begin, type StepInput } from '../operations/begin.js';
import { eachApart } from '../operations/each-apart.js';
import type { StepPorts } from '../ports.js';
import { whyNoPlaceElsewhere } from './moving.js';

/** VMs of a host that are on their way at once. */
const most = 4;
/** While nothing can be asked for: how often it is looked whether something has ended, and after how long the step ends. */
const pause = 500;
const patience = 20_000;

type FlushPorts = Pick<StepPorts, 'store' | 'settings' | 'hypervisors' | 'migrateForFlush'>;

/** The steps of a flush. Each VM's part is an operation of its own. */
export const flushingActivities = (ports: FlushPorts) => ({
  beginFlush: (input: StepInput) =>
    begin(ports.store, input, async (operation): Promise<{ host: number } | null> => {
      const host = await ports.store.hosts.find(operation.resource.id);
      return host?.operation === operation._id ? { host: host._id } : null;
    }),

  /**
   * Writes down what has become of each VM, asks for the migrations that may begin now, and waits for a while until something of that
   * has ended. Where a try of it has asked and not written it down, the migration is found by its key. Returns how many VMs have
   * not come to an end.
   */
  async flushVms({ op }: { op: string }): Promise<{ open: number; done: number; all: number }> {
    const { cancellationSignal: signal } = Context.current();
    const until = Date.now() + patience;
    for (;;) {
      const round = await lookAround(ports, op);
      if (round === null) return { open: 0, done: 0, all: 0 };
      const isNews = await take(ports, round, signal);
      if (round.open === 0 || isNews || Date.now() > until) return counts(round);
      await sleep(pause, undefined, { signal });
    }
  },

  /** Why it has failed: VMs have stayed. null: none has. */
  async judgeFlush({ op }: { op: string }): Promise<string | null> {
    const operation = await ports.store.operations.find(op);
    return operation && isFlush(operation) ? whyNotFree(operation.resource_name, operation.flushed ?? {}) : null;
  },
});

type Round = {
  operation: Operation<'flushHost'>;
  vms: readonly SeenVm[];
  known: Readonly<Record<string, Flushed>>;
  /** What is to be written down. */
  said: Map<number, Flushed>;
  ask: { vm: number; live: boolean; why: string | null }[];
  open: number;
};

const counts = ({ known, said, open }: Round) => {
  const all = new Map<number, Flushed>([
    ...Object.entries(known).map(([vm, one]) => [Number(vm), one] as const),
    ...said,
  ]);
  const done = [...all.values()].filter(({ outcome }) => outcome === 'moved' || outcome === 'gone').length;
  return { open, done, all: all.size };
};

/** How all of it is; null: it has ended. */
async function lookAround({ store, hypervisors }: FlushPorts, op: string): Promise<Round | null> {
  const operation = await store.operations.find(op);
  if (!operation || !isFlush(operation) || !isOpen(operation)) return null;
  const id = operation.resource.id;
  const known = operation.flushed ?? {};
  const vms = await store.flushes.vmsOn(id, Object.keys(known).map(Number));
  const ended = await store.operations.endings(Object.values(known).flatMap((one) => one.op ?? []));
  const services = [...new Set(vms.flatMap(({ service }) => service?.id ?? []))];
  const [hosts, siblings] = await Promise.all([
    store.hosts.all(),
    services.length === 0 ? [] : store.flushes.ofServices(services),
  ]);
  const facts: FlushFacts = {
    vms: [
      ...vms.map((vm) => seenAs(vm, id)),
      // Of one that is not written down any more.
      ...Object.keys(known).flatMap((vm) => (vms.some(({ _id }) => _id === Number(vm)) ? [] : [lost(Number(vm))])),
    ],
    flushed: known,
    moves: new Map(ended.map(({ _id, state, error }) => [_id, { state, detail: error?.detail ?? null }])),
    roles: servingOf(siblings),
    live: allLive(hypervisors, hosts, id),
    most,
  };
  const { said, ask, open } = planFlush(facts);
  const at = new Date();
  const news = [...said].flatMap(([vm, one]): [number, Flushed][] => {
    const before = known[vm];
    const isSame = before && before.outcome === one.outcome && before.why === one.why && before.op === one.op;
    return isSame ? [] : [[vm, { ...one, turn: (before?.turn ?? -1) + 1, at }]];
  });
  return { operation, vms, known, said: new Map(news), ask, open };
}

/** Asks for what may begin now, and writes down what is new. Returns whether anything was asked for. */
async function take(
  ports: FlushPorts,
  { operation, vms, known, said, ask }: Round,
  signal: AbortSignal,
): Promise<boolean> {
  const { store } = ports;
  await store.flushes.note(operation._id, said);
  const asked = new Map<number, Flushed>();
  const failures = await eachApart(ask, most, async ({ vm, live, why }) => {
    signal.throwIfAborted();
    const turn = (said.get(vm)?.turn ?? known[vm]?.turn ?? -1) + 1;
    const entry = await answerOf(ports, operation, vms, { vm, live, why });
    if (entry) asked.set(vm, { ...entry, turn, at: new Date() });
  });
  await store.flushes.note(operation._id, asked);
  for (const { error } of failures) throw error;
  return asked.size > 0;
}

/** What comes of asking for one; null: somebody was first, and it is asked for again. */
async function answerOf(
  { store, settings, migrateForFlush }: FlushPorts,
  { _id: op, requester }: Operation,
  vms: readonly SeenVm[],
  { vm, live, why }: { vm: number; live: boolean; why: string | null },
): Promise<Omit<Flushed, 'turn' | 'at'> | null> {
  if (!migrateForFlush) throw new Error('this worker cannot ask for migrations');
  const [present] = await store.vms.byIds([vm]);
  const isBetween = vms.find(({ _id }) => _id === vm)?.moving ?? null;
  const noPlace = present && !isBetween ? await whyNoPlaceElsewhere(store, present, settings.placement) : null;
  if (noPlace !== null) return { outcome: 'stays', live, op: null, why: noPlace };
  try {
    return { outcome: 'moving', live, op: await migrateForFlush({ op, requester: requester.id, vm, live }), why };
  } catch (error) {
    const problem = problemOf(error);
    if (!problem || problems[problem.code].retryable) throw error;
    if (problem.code === 'operation_in_progress') return null;
    // Its state, or whether it is there, has changed since it was looked at: it is looked at again.
    const [now] = await store.vms.byIds([vm]);
    if (!now || !present || vmStateName(now) !== vmStateName(present)) return null;
    return { outcome: 'stays', live, op: null, why: brief(problem.message, longest.vm) };
  }
}

function seenAs(vm: SeenVm, host: number): FlushVm {
  const place = placeOf(vm)?.hid;
  const isComing = vm.moving?.hid === host || (place === undefined && vm.state !== 'DONE');
  return {
    id: vm._id,
    state: vmStateName(vm),
    reason: vm.reason,
    place:
      place === host
        ? 'here'
        : place === undefined
          ? vm.state === 'DONE'
            ? 'nowhere'
            : 'coming'
          : isComing
            ? 'coming'
            : 'elsewhere',
    between: (vm.moving ?? null) !== null,
    busy: operationAtWork(vm),
    role: roleOf(vm),
  };
}

const lost = (id: number): FlushVm => ({
  ...{ id, state: 'DONE', reason: null, place: 'nowhere', between: false, busy: null, role: null },
});

/** Whether the host, and those where its VMs may go, have hypervisors that migrate live. */
function allLive(
  hypervisors: StepPorts['hypervisors'],
  hosts: readonly Pick<Host, '_id' | 'state' | 'vm_mad' | 'cluster_id'>[],
  id: number,
): boolean {
  const clusterOf = (host: Pick<Host, 'cluster_id'> | undefined): number => host?.cluster_id ?? defaultCluster;
  const cluster = clusterOf(hosts.find(({ _id }) => _id === id));
  return hosts
    .filter((host) => host._id === id || (host.state === 'MONITORED' && clusterOf(host) === cluster))
    .every((host) => hypervisors.of(host).can.migrate);
}
