import type { Engine } from '../../adapters/engine/port.js';
import { storage } from '../../adapters/hypervisor/simulated/simulated.js';
import { openStates } from '../../domain/operation-states.js';
import { placeOf, placesOf } from '../../domain/vms/stays.js';
import type { Service } from '../../schemas/services/service.js';
import type { Vm } from '../../schemas/vms/vm.js';
import type { Store } from '../../store/store.js';
import { diskDisagreements } from './disk-books.js';
import type { MemoryHypervisor } from './memory-hypervisor.js';
import type { MemoryStorage } from './memory-storage.js';
import { quotaDisagreements } from './quota-books.js';

type Books = { store: Store; hypervisor: MemoryHypervisor; engine: Engine; storage: Pick<MemoryStorage, 'disks'> };

type SeenVm = Pick<
  Vm,
  | '_id'
  | 'state'
  | 'lcm_state'
  | 'hold'
  | 'operation'
  | 'wanted'
  | 'history'
  | 'moving'
  | 'stored'
  | 'datastore'
  | 'capacity'
  | 'service'
>;
const ofVm = {
  state: 1,
  lcm_state: 1,
  hold: 1,
  operation: 1,
  wanted: 1,
  history: 1,
  moving: 1,
  stored: 1,
  datastore: 1,
  capacity: 1,
  service: 1,
};
/** A VM that is DONE, on no host and in nobody's hands, is as it should be: of a world that has seen much, that is most. */
const mayBeAmiss = {
  $or: [
    { state: { $ne: 'DONE' } as const },
    ...['hold', 'operation', 'wanted'].map((field) => ({ [field]: { $ne: null } })),
    { history: { $elemMatch: { etime: null } } },
  ],
};

/** Everything that documents, hosts, hypervisor and engine do not agree on, each as a sentence; empty when all is accounted for. */
export async function disagreements({ store, hypervisor, engine, storage: stored }: Books): Promise<string[]> {
  const [vms, hosts, services, operations] = await Promise.all([
    store.vms.model.find(mayBeAmiss, ofVm).lean<SeenVm[]>().exec(),
    store.hosts.model.find().lean().exec(),
    store.services.model
      .find({}, { operation: 1, wanted: 1, holds: 1, state: 1, roles: 1 })
      .lean<Pick<Service, '_id' | 'operation' | 'wanted' | 'holds' | 'state' | 'roles'>[]>()
      .exec(),
    store.operations.model
      .find({ state: { $in: openStates } })
      .lean()
      .exec(),
  ]);
  const open = new Map(operations.map((operation) => [operation._id, operation]));
  const serviceStates = new Map(services.map(({ _id, state }) => [_id, state]));
  const found = [...(await quotaDisagreements(store)), ...(await diskDisagreements(store, stored.disks))];
  const say = (wrong: boolean, sentence: string): void => {
    if (wrong) found.push(sentence);
  };
  const ofEnded = (op: string | null | undefined): op is string => typeof op === 'string' && !open.has(op);

  for (const host of hosts) {
    const placed = vms.filter((vm) => isPlaced(vm) && placesOf(vm).some(({ hid }) => hid === host._id));
    const expected = Object.fromEntries(placed.map((vm) => [String(vm._id), vm.capacity]));
    say(!equal(host.vms, expected), `${host.name} has ${text(host.vms)} reserved, but its VMs are ${text(expected)}`);
    const sum = { cpu: 0, memory: 0 };
    for (const { cpu, memory } of Object.values(host.vms)) {
      sum.cpu += cpu;
      sum.memory += memory;
    }
    say(!equal(host.used, sum), `${host.name} says ${text(host.used)} used, but its reservations sum to ${text(sum)}`);
  }

  const domains = hypervisor.domains();
  for (const { vm: id, host } of domains) {
    const vm = vms.find(({ _id }) => _id === id);
    if (host === storage.name) {
      say(!vm?.stored, `something of VM ${id} is kept away from hosts, but the VM is ${vm?.state ?? 'gone'}`);
      continue;
    }
    say(!vm || !isPlaced(vm), `a domain of VM ${id} is on ${host}, but the VM is ${vm?.state ?? 'gone'}`);
    const isThere = vm && placesOf(vm).some(({ hostname }) => hostname === host);
    if (vm) say(!isThere, `a domain of VM ${id} is on ${host}, where the VM is not`);
  }
  for (const vm of vms) {
    const { _id: id, state, lcm_state, hold, operation, wanted } = vm;
    const its = domains.filter((domain) => domain.vm === id).length;
    say(its > 1, `VM ${id} has ${its} domains`);
    say(lcm_state === 'RUNNING' && its !== 1, `VM ${id} is RUNNING with ${its} domains`);
    say(state === 'STOPPED' && its !== 1, `VM ${id} is STOPPED, and nothing of it is kept`);
    const isDiscarded = lcm_state.startsWith('EPILOG') && (!!vm.stored || !!vm.datastore);
    say(isPlaced(vm) && !isDiscarded && placeOf(vm) === null, `VM ${id} is ${state} without a host`);
    say(state === 'DONE' && placeOf(vm) !== null, `VM ${id} is DONE on a host`);
    say(ofEnded(hold?.op), `VM ${id} is held by operation ${hold?.op}, which has ended`);
    say(ofEnded(operation), `VM ${id} names operation ${operation}, which has ended`);
    say(ofEnded(wanted), `VM ${id} is wanted by operation ${wanted}, which has ended`);
    const owner = vm.service && (serviceStates.get(vm.service.id) ?? 'deleted');
    say(state !== 'DONE' && (owner === 'DONE' || owner === 'deleted'), `VM ${id} is left of a service that is gone`);
    const stops = ['SAVE_STOP', 'EPILOG_STOP', 'PROLOG_RESUME', 'BOOT_STOPPED'];
    const steps = ['PROLOG', 'BOOT', 'SHUTDOWN', 'EPILOG', ...stops];
    const working = steps.includes(lcm_state) || lcm_state.includes('MIGRATE');
    say(working && hold === null, `VM ${id} is in ${lcm_state} with nobody at work on it`);
  }
  for (const { _id: id, operation, wanted, holds, state, roles } of services) {
    for (const { name, operation: its, state: is, surplus = 0 } of roles) {
      say(ofEnded(its), `role ${name} of service ${id} names operation ${its}, which has ended`);
      say(is === 'SCALING' && !its, `role ${name} of service ${id} is SCALING with no operation`);
      say(
        surplus > 0 && state !== 'DONE' && !['SCALING', 'FAILED_SCALING'].includes(is),
        `role ${name} of service ${id} is charged too much`,
      );
    }
    say(ofEnded(operation), `service ${id} names operation ${operation}, which has ended`);
    say(ofEnded(wanted), `service ${id} is wanted by operation ${wanted}, which has ended`);
    for (const [role, { op }] of Object.entries(holds))
      say(ofEnded(op), `role ${role} of service ${id} is held by operation ${op}, which has ended`);
    const working = ['PENDING', 'DEPLOYING', 'UNDEPLOYING'].includes(state);
    say(working && operation === null && wanted === null, `service ${id} is ${state} with no operation`);
  }
  for (const { _id: op, kind, state, workflow_id } of operations) {
    const run = await engine.latestRun(workflow_id);
    const its = run?.op === op && run.status === 'open';
    if (state.startsWith('waiting')) say(its, `${kind} ${op} waits with a run open`);
    else say(!its, `${kind} ${op} is ${state} without a run`);
  }
  return found;
}

const isPlaced = ({ state }: Pick<Vm, 'state'>): boolean => ['ACTIVE', 'POWEROFF', 'SUSPENDED'].includes(state);

const text = (value: unknown): string => JSON.stringify(value);

/** Equal but for the order of keys. */
const equal = (one: unknown, other: unknown): boolean => text(sorted(one)) === text(sorted(other));

function sorted(value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}
