import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { z } from 'zod';
import { placementWorkflowId } from '../../adapters/engine/names.js';
import { temporalEngine } from '../../adapters/engine/temporal.js';
import { storage } from '../../adapters/hypervisor/simulated/simulated.js';
import { openStates } from '../../domain/operation-states.js';
import { placeOf, placesOf } from '../../domain/vms/stays.js';
import { SimulatedDomain, SimulatedHosts } from '../../schemas/hosts/simulator.js';
import type { Vm } from '../../schemas/vms/vm.js';
import type { Store } from '../../store/store.js';
import type { Cluster } from './cluster.js';

/** Nothing of what `domain/` says of states is asked here. */
const switchedOff = ['POWEROFF', 'SUSPENDED', 'UNDEPLOYED', 'STOPPED'];
const onHosts = ['ACTIVE', 'POWEROFF', 'SUSPENDED'];

/** What a test has done that makes more than one domain of a VM right: any number of some, one more of each that it recreated. */
type Expected = { replaced?: readonly number[]; recreated?: ReadonlyMap<number, number> };

const HostWithDomains = z.object({ domains: z.array(SimulatedDomain) });

/**
 * Compares MongoDB, the open runs in Temporal and the domains of the simulator: returns a sentence for everything that
 * does not fit. What a run writes in its last moments may be on its way, so that it looks for a while before it says so.
 */
export async function checkConsistency(cluster: Cluster, expected: Expected = {}): Promise<string[]> {
  for (const until = Date.now() + 300_000; ; await sleep(200)) {
    const findings = [
      ...(await checkServices(cluster.store)),
      ...(await checkReservations(cluster.store)),
      ...(await checkHolds(cluster.store)),
      ...(await checkRuns(cluster)),
      ...(await checkDomains(cluster)),
      ...(await checkJournal(cluster, expected)),
    ];
    if (findings.length === 0 || Date.now() > until) return findings;
  }
}

/** How often each VM was made, or given a domain that was there, by the simulator's journal. */
export async function timesMade(cluster: Cluster): Promise<Map<number, number>> {
  const made = new Map<number, number>();
  for (const { call, vm, outcome } of await cluster.simulator.journal())
    if (outcome === 'adopted' || (call === 'deploy' && ['created', 'replaced', 'started'].includes(outcome)))
      made.set(vm, (made.get(vm) ?? 0) + 1);
  return made;
}

async function checkServices(store: Store): Promise<string[]> {
  const findings: string[] = [];
  for (const service of await store.services.model.find().lean().exec()) {
    const vms = await store.vms.ofService(service._id);
    if (service.state === 'DONE' && vms.length > 0)
      findings.push(`service ${service._id} is DONE with ${vms.length} VMs`);
    if (service.state !== 'RUNNING') continue;
    for (const role of service.roles) {
      const ofRole = vms.filter((vm) => vm.service?.role === role.name);
      // One that was stopped is not amiss: it waits for whoever stopped it.
      const running = ofRole.filter((vm) => vm.lcm_state === 'RUNNING' || switchedOff.includes(vm.state));
      if (role.state !== 'RUNNING')
        findings.push(`role ${role.name} of running service ${service._id} is ${role.state}`);
      if (running.length !== role.cardinality || ofRole.length !== role.cardinality)
        findings.push(
          `role ${role.name} of service ${service._id}: ${running.length} run, ${ofRole.length} are, ${role.cardinality} should`,
        );
    }
  }
  return findings;
}

async function checkReservations(store: Store): Promise<string[]> {
  const vms = await store.vms.model.find().lean().exec();
  const placed = vms.flatMap((vm) => {
    const stays = onHosts.includes(vm.state) ? placesOf(vm) : [];
    return stays.map(({ hid }) => `VM ${vm._id} on host ${hid} with ${vm.capacity.cpu}/${vm.capacity.memory}`);
  });
  const hosts = await store.hosts.model.find().lean().exec();
  const reserved = hosts.flatMap((host) =>
    Object.entries(host.vms).map(([vm, { cpu, memory }]) => `VM ${vm} on host ${host._id} with ${cpu}/${memory}`),
  );
  const sums = hosts.flatMap(({ _id, vms: held, used, total }) => {
    const cpu = Object.values(held).reduce((sum, each) => sum + each.cpu, 0);
    const memory = Object.values(held).reduce((sum, each) => sum + each.memory, 0);
    const wrong = cpu !== used.cpu || memory !== used.memory;
    const over = used.cpu > total.cpu || used.memory > total.memory;
    return [
      ...(wrong ? [`host ${_id} says ${used.cpu}/${used.memory} used; its VMs have ${cpu}/${memory}`] : []),
      ...(over ? [`host ${_id} is overcommitted: ${used.cpu}/${used.memory} of ${total.cpu}/${total.memory}`] : []),
    ];
  });
  return [
    ...missing(placed, reserved).map((place) => `${place}: not reserved`),
    ...missing(reserved, placed).map((place) => `${place}: reserved for nobody`),
    ...sums,
  ];
}

async function checkHolds(store: Store): Promise<string[]> {
  const vms = await store.vms.model.find().lean().exec();
  const services = await store.services.model.find().lean().exec();
  // What has no place yet waits for whoever comes after an operation on it, or on its service, that failed or was cancelled.
  const last = new Map<string, string>();
  for (const { resource, state } of await store.operations.model.find().sort({ _id: 1 }).lean().exec())
    last.set(`${resource.type} ${resource.id}`, state);
  const isLeft = (vm: (typeof vms)[number]): boolean =>
    ['failed', 'cancelled'].includes(last.get(vm.service ? `service ${vm.service.id}` : `vm ${vm._id}`) ?? '');
  const named = [
    ...vms.flatMap(({ _id, hold, operation, wanted }) =>
      [hold?.op ?? null, operation, wanted].map((op) => ({ who: `VM ${_id}`, op })),
    ),
    ...services.flatMap(({ _id, holds, operation, wanted }) =>
      [...Object.values(holds).map(({ op }) => op), operation, wanted].map((op) => ({ who: `service ${_id}`, op })),
    ),
  ];
  const busy = [
    ...vms
      .filter((vm) => {
        const { hold, operation, wanted, state, lcm_state } = vm;
        if (state === 'PENDING' && isLeft(vm)) return false;
        const isAtWork = state === 'PENDING' || ['PROLOG', 'BOOT', 'SHUTDOWN', 'EPILOG'].includes(lcm_state);
        return isAtWork && hold === null && operation === null && wanted === null;
      })
      .map(({ _id, state, lcm_state }) => `VM ${_id} is ${state}/${lcm_state} in nobody's hands`),
    ...services
      .filter(({ state, operation, wanted }) => {
        return ['PENDING', 'DEPLOYING', 'UNDEPLOYING'].includes(state) && operation === null && wanted === null;
      })
      .map(({ _id, state }) => `service ${_id} is ${state} in nobody's hands`),
  ];
  const ops = named.flatMap(({ op }) => (op === null ? [] : [op]));
  const ended = await store.operations.ended(ops);
  const stale = named.flatMap(({ who, op }) =>
    op !== null && ended.has(op) ? [`${who} is still in the hands of operation ${op}, which has ended`] : [],
  );
  return [...busy, ...stale];
}

/** Every operation that goes on has a run, and every run an operation. */
async function checkRuns(cluster: Cluster): Promise<string[]> {
  const { address, namespaces } = cluster.temporal;
  const engine = temporalEngine(cluster.temporal);
  const connection = await Connection.connect({ address });
  try {
    const findings: string[] = [];
    const all = await cluster.store.operations.model.find().lean().exec();
    const open = new Map(
      all.filter(({ state }) => openStates.some((each) => each === state)).map((op) => [op._id, op]),
    );
    for (const operation of open.values()) {
      const run = await engine.latestRun(operation.workflow_id);
      const isRunning = run?.status === 'open' && run.op === operation._id;
      if (isRunning === operation.state.startsWith('waiting'))
        findings.push(`operation ${operation._id} (${operation.kind}) is ${operation.state}; its run: ${run?.status}`);
    }
    const client = new Client({ connection, namespace: namespaces.operations });
    for await (const { workflowId } of client.workflow.list({ query: 'ExecutionStatus = "Running"' })) {
      if (workflowId === placementWorkflowId) continue;
      const run = await engine.latestRun(workflowId);
      if (run?.status === 'open' && !open.has(run.op ?? ''))
        findings.push(`a run of ${workflowId} is open for operation ${run.op}, which has ended`);
    }
    return findings;
  } finally {
    await Promise.all([engine.close(), connection.close()]);
  }
}

/** Suspended, or nobody knows. */
const maySuspend = ({ state, lcm_state }: Pick<Vm, 'state' | 'lcm_state'>): boolean =>
  state === 'SUSPENDED' || lcm_state === 'UNKNOWN' || /^(EPILOG_STOP|PROLOG_RESUME)_FAILURE$/.test(lcm_state);

/** The simulator has a domain of each running VM, on its host, and no other; none has outrun its document. */
async function checkDomains({ simulator, store }: Cluster): Promise<string[]> {
  const { items } = await simulator.ask(SimulatedHosts, 'GET', '/hosts');
  const running = await store.vms.model.find({ lcm_state: 'RUNNING' }).lean().exec();
  const epochs = new Map(running.map(({ _id, epoch }) => [_id, epoch]));
  const there: string[] = [];
  const findings: string[] = [];
  const kept = await store.vms.model.find({ 'stored.vm_mad': 'simulated' }, { _id: 1 }).lean().exec();
  for (const { name } of items) {
    const { domains } = await simulator.ask(HostWithDomains, 'GET', `/hosts/${encodeURIComponent(name)}`);
    for (const { vm, epoch, state } of domains) {
      if (name === storage.name) {
        if (!kept.some(({ _id }) => _id === vm))
          findings.push(`something of VM ${vm} is kept away from hosts for nobody`);
        continue;
      }
      there.push(`VM ${vm} on ${name} ${state}`);
      if (epoch > (epochs.get(vm) ?? epoch))
        findings.push(`the domain of VM ${vm} is of a later epoch than its document`);
    }
  }
  const nameOf = (vm: (typeof running)[number]): string => `VM ${vm._id} on ${placeOf(vm)?.hostname}`;
  const right = running.map((vm) => `${nameOf(vm)} running`);
  // One that stopped by itself or failed is still on its host.
  const others = await store.vms.model
    .find({ state: { $nin: ['PENDING', 'DONE'] }, lcm_state: { $ne: 'RUNNING' } })
    .lean()
    .exec();
  const known = others.flatMap((vm) =>
    ['running', 'stopped', 'failed', ...(maySuspend(vm) ? ['suspended'] : [])].map((state) => `${nameOf(vm)} ${state}`),
  );
  return [
    ...findings,
    ...missing(right, there).map((domain) => `${domain}: the simulator has no such domain`),
    ...missing(there, [...right, ...known]).map((domain) => `${domain}: a domain that no VM document knows of`),
  ];
}

async function checkJournal(cluster: Cluster, { replaced = [], recreated }: Expected): Promise<string[]> {
  const made = await timesMade(cluster);
  const running = await cluster.store.vms.model.find({ lcm_state: 'RUNNING' }).lean().exec();
  const right = (vm: number): number => 1 + (recreated?.get(vm) ?? 0);
  return [
    ...[...made]
      .filter(([vm, times]) => times > right(vm) && !replaced.includes(vm))
      .map(([vm, n]) => `VM ${vm} was made ${n} times`),
    ...running
      .map(({ _id }) => ({ vm: _id, times: made.get(_id) ?? 0 }))
      .filter(({ vm, times }) => times < right(vm))
      .map(({ vm, times }) => `VM ${vm} runs and was made ${times} times, not ${right(vm)}`),
  ];
}

const missing = (wanted: readonly string[], present: readonly string[]): string[] => {
  const there = new Set(present);
  return wanted.filter((item) => !there.has(item));
};
