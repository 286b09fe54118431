import { log } from '@temporalio/activity';
import { brief, longest } from '../../domain/brief.js';
import { lostVm, rolesBeforeOf } from '../../domain/failover/lost-vm.js';
import {
  type FailoverDeed,
  type FailoverFacts,
  type LostVm,
  planFailover,
  whyNotRecovered,
} from '../../domain/failover/plan.js';
import { isOff, isSilent } from '../../domain/hosts/host-states.js';
import { isOpen } from '../../domain/operation-states.js';
import { problemOf, problems } from '../../domain/problems.js';
import { endStay } from '../../domain/vms/stays.js';
import type { Host } from '../../schemas/hosts/host.js';
import type { FailedOver } from '../../schemas/operations/failed-over.js';
import { isFailover, type Operation } from '../../schemas/operations/operation.js';
import type { VmMove } from '../../store/vms/vm-transitions.js';
import type { WorkVm } from '../../store/vms/work-vms.js';
import { begin, type StepInput } from '../operations/begin.js';
import { eachApart } from '../operations/each-apart.js';
import { resume } from '../operations/resume.js';
import type { StepPorts } from '../ports.js';
import { placeVms } from '../vms/place-vms.js';
import { retryVms, takeVms } from '../vms/taking.js';

type Ports = Pick<StepPorts, 'store' | 'engine' | 'settings' | 'deployForFailover' | 'recoverForFailover'>;

/** `fenced`: the host is known to be off, or to have been. */
export type FailoverInput = { host: number; fenced: boolean };
/** What is to be done at hosts next. `gone`: nothing of the failover is left to do, for it has ended. */
export type FailoverRound = { clear: number[]; end: number[]; boot: number[]; open: number; done: number; all: number };
/** VMs of which a step has failed as a whole, after all its tries. */
export type GivenUp = { vms: number[]; why: string };

/** Deployments that are asked for at a time. */
const atOnce = 10;

/** The steps of a failover that touch MongoDB alone. */
export const failoverActivities = (ports: Ports) => ({
  beginFailover: (input: StepInput) =>
    begin(ports.store, input, async (operation): Promise<FailoverInput | null> => {
      const host = await ports.store.hosts.find(operation.resource.id);
      if (host?.operation !== operation._id) return null;
      const fenced = operation.host_off === true || isOff(host);
      if (fenced) await ports.store.failovers.noteOff(operation._id);
      return { host: host._id, fenced };
    }),

  /** The run ends, and the operation waits until somebody has said that the host is off, or it answers. `why`: what could not turn it off. */
  async parkFailover({
    op,
    run,
    host,
    why = null,
  }: {
    op: string;
    run: string;
    host: number;
    why?: string | null;
  }): Promise<void> {
    const { store, engine } = ports;
    const failed = why === null ? '' : ` (${why})`;
    const text = `somebody to say that the host is off: arcus host fenced ${host}${failed}`;
    await store.operations.wait(op, run, brief(text, longest.operation));
    // Said, or answered, in between.
    if ((await store.failovers.answered()).includes(op)) await resume(store, engine, op);
  },

  /**
   * Looks at all VMs of the host, takes those that are free and whose turn it is, has them leave it, and finds them places; what is left to do is
   * done at hosts. Plans from what is, so that it may be said again. null: the failover has ended.
   */
  async recoverLost({ op, failed = [] }: { op: string; failed?: GivenUp[] }): Promise<FailoverRound | null> {
    const { store } = ports;
    const operation = await store.operations.find(op);
    if (!operation || !isFailover(operation) || !isOpen(operation)) return null;
    const host = await store.hosts.find(operation.resource.id);
    if (!host) return null;
    const known = operation.failed_over ?? {};
    const vms = await store.failovers.vmsOn(host._id, Object.keys(known).map(Number));
    const plan = planFailover(await factsOf(ports, { operation, host, vms }, failed));
    await note(ports, operation, plan.said);
    await wakeRemovals(ports, vms, host);
    const at = (deed: FailoverDeed): WorkVm[] => vms.filter(({ _id }) => plan.deeds.get(_id) === deed);
    const wanted = vms.filter(({ _id }) => plan.deeds.has(_id));
    const held = new Map(
      (await takeVms(store, op, wanted)).flatMap((vm) => (vm.hold?.op === op ? [[vm._id, vm] as const] : [])),
    );
    const ours = (deed: FailoverDeed): WorkVm[] => at(deed).flatMap(({ _id }) => held.get(_id) ?? []);
    await leaveHost(ports, host._id, ours('leave'), 'leave');
    await vacate(ports, host._id, ours('vacate'));
    await retryVms(store, ours('restart'));
    const moved = await store.vms.byIds([...ours('leave'), ...ours('place'), ...ours('restart')].map(({ _id }) => _id));
    const waiting = moved.filter((vm) => vm.state === 'PENDING' && vm.hold?.op === op);
    const { placed, pending } = await placeVms(store, waiting, undefined, ports.settings.placement);
    await letWait(ports, operation, pending, plan.said);
    const ids = (some: readonly WorkVm[]): number[] => some.map(({ _id }) => _id);
    const done = [...plan.said.values()].filter(({ outcome }) => outcome === 'recovered' || outcome === 'gone').length;
    return {
      clear: ids(ours('clear')),
      end: ids(ours('end')),
      boot: [...ids(ours('boot')), ...ids(ours('restart')), ...placed],
      ...{ open: plan.open, done, all: plan.said.size },
    };
  },

  /** Has services go on that have failed because of it. Why it has failed itself: VMs that ran do not run. null: all do that could. */
  async judgeFailover({ op }: { op: string }): Promise<string | null> {
    const operation = await ports.store.operations.find(op);
    if (operation && isFailover(operation)) await goOn(ports, operation);
    return operation && isFailover(operation)
      ? whyNotRecovered(operation.resource_name, operation.failed_over ?? {})
      : null;
  },
});

type Said = Omit<FailedOver, 'turn' | 'at'>;

type Looked = { operation: Operation<'failoverHost'>; host: Host; vms: readonly WorkVm[] };

async function factsOf(
  { store }: Ports,
  { operation, host, vms }: Looked,
  failed: readonly GivenUp[],
): Promise<FailoverFacts> {
  const { _id: op, input, failed_over: known = {} } = operation;
  const services = [...new Set(vms.flatMap(({ service }) => service?.id ?? []))];
  const [roles, deployments] = await Promise.all([
    services.length === 0 ? [] : store.failovers.rolesOf(services),
    store.failovers.deploymentsOf(vms.flatMap(({ _id, state }) => (state === 'PENDING' ? [_id] : []))),
  ]);
  const afterOf = rolesBeforeOf(roles);
  const gaveUp = new Map(failed.flatMap(({ vms: some, why }) => some.map((vm) => [vm, why] as const)));
  const given = Object.fromEntries(
    Object.entries(known).map(([vm, entry]) => {
      const why = gaveUp.get(Number(vm));
      return [vm, why === undefined ? entry : { ...entry, outcome: 'stays' as const, why: brief(why, longest.vm) }];
    }),
  );
  return {
    vms: [
      ...vms.map((vm) => lostVm(vm, host._id, op, afterOf(vm))),
      // Of one that is not written down any more.
      ...Object.keys(known).flatMap((vm) => (vms.some(({ _id }) => _id === Number(vm)) ? [] : [forgotten(Number(vm))])),
    ],
    known: given,
    ...{ action: input.action, stopped: input.stopped, deployments },
    host: isOff(host) ? 'off' : isSilent(host) || host.state === 'INIT' ? 'silent' : 'answers',
  };
}

const forgotten = (id: number): LostVm => ({
  ...{
    id,
    state: 'DONE',
    reason: null,
    place: 'nowhere',
    ours: false,
    busy: null,
    between: false,
    after: [],
    role: null,
    wish: null,
  },
});

/** Writes down what is new. */
async function note(
  { store }: Ports,
  { _id: op, failed_over: known = {} }: Operation<'failoverHost'>,
  said: ReadonlyMap<number, Said>,
): Promise<void> {
  const at = new Date();
  const news = [...said].flatMap(([vm, one]): [number, FailedOver][] => {
    const before = known[vm];
    const isSame = before?.outcome === one.outcome && before.why === one.why && before.op === one.op;
    return isSame ? [] : [[vm, { ...one, turn: (before?.turn ?? -1) + 1, at }]];
  });
  await store.failovers.note(op, new Map(news));
}

/** Removals that waited for the host to answer need not any more. */
async function wakeRemovals({ store, engine }: Ports, vms: readonly WorkVm[], host: Host): Promise<void> {
  if (!isOff(host)) return;
  const waiting = [...new Set(vms.flatMap(({ wanted }) => wanted ?? []))];
  const failures = await eachApart(waiting, atOnce, (op) => resume(store, engine, op));
  for (const { item: op, error } of failures) log.warn('a termination was not resumed', { op, error });
}

/** They have no host any more: `leave`, and are to have another; `undeploy`, and stay off. What they had reserved goes first. */
async function leaveHost(
  { store }: Ports,
  host: number,
  vms: readonly WorkVm[],
  event: 'leave' | 'undeployed',
): Promise<void> {
  if (vms.length === 0) return;
  await store.hosts.release(vms.map(({ _id, capacity }) => ({ vm: _id, host, capacity })));
  const now = new Date();
  await store.vms.transition(
    vms.map((vm): VmMove => {
      const set = { reason: null, deploy_id: null, history: endStay(vm.history, 'error', now) };
      return { vm, event, set, ...(event === 'undeployed' && { release: true }) };
    }),
  );
}

async function vacate(ports: Ports, host: number, vms: readonly WorkVm[]): Promise<void> {
  if (vms.length === 0) return;
  const { store } = ports;
  await store.vms.transition(vms.map((vm): VmMove => ({ vm, event: 'undeploy', set: {} })));
  const leaving = await store.vms.byIds(vms.map(({ _id }) => _id));
  await leaveHost(
    ports,
    host,
    leaving.filter(({ lcm_state }) => lcm_state === 'SHUTDOWN_UNDEPLOY'),
    'undeployed',
  );
}

/**
 * What fits nowhere is let go of, and waits for room by an operation of its own, as its owner would ask for it. What he is refused, or what
 * has come to nothing, stays as it is.
 */
async function letWait(
  ports: Ports,
  operation: Operation<'failoverHost'>,
  pending: readonly number[],
  said: ReadonlyMap<number, Said>,
): Promise<void> {
  const { store, deployForFailover } = ports;
  const { _id: op } = operation;
  if (pending.length === 0) return;
  if (!deployForFailover) throw new Error('this worker cannot ask for deployments');
  const held = (await store.vms.byIds(pending)).filter((vm) => vm.hold?.op === op && vm.state === 'PENDING');
  await store.vms.letGo(held);
  const refused = new Map<number, Said>();
  const stays = (vm: number, why: string): void => {
    const was = said.get(vm)?.was ?? 'running';
    refused.set(vm, { outcome: 'stays', was, op: null, why: brief(`it fits nowhere, and ${why}`, longest.vm) });
  };
  const failures = await eachApart(
    held.map(({ _id }) => _id),
    atOnce,
    async (vm) => {
      const deployment = await store.operations.find(await deployForFailover({ op, vm }));
      if (!deployment || !isOpen(deployment)) stays(vm, `its deployment has ${deployment?.state ?? 'ended'}`);
    },
  );
  for (const { item: vm, error } of failures) {
    const problem = problemOf(error);
    if (!problem || problems[problem.code].retryable) throw error;
    stays(vm, `does not wait for room: ${problem.message}`);
  }
  // As they are written down by now.
  const now = await store.operations.find(op);
  if (now && isFailover(now)) await note(ports, now, refused);
}

/** Deployments and scalings that lost VMs to it have failed, and those run now. What is refused is left to people, who see it. */
async function goOn({ store, recoverForFailover }: Ports, operation: Operation<'failoverHost'>): Promise<void> {
  const { _id: op, resource, created_at, failed_over = {} } = operation;
  if (!recoverForFailover) throw new Error('this worker cannot ask for recoveries');
  const host = await store.hosts.find(resource.id);
  const since = host?.failed_over ?? created_at;
  const services = await store.failovers.servicesOf(Object.keys(failed_over).map(Number));
  const failures = await eachApart(services, atOnce, (service) => recoverForFailover({ op, service, since }));
  for (const { item: service, error } of failures) {
    const problem = problemOf(error);
    if (!problem || problems[problem.code].retryable) throw error;
    log.warn('a service was not recovered after a failover', { service, error: problem.message });
  }
}
