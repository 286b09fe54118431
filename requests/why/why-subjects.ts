import { whyUnarmed } from '../../domain/failover/armed.js';
import { brakeOn } from '../../domain/failover/due.js';
import { askerOf } from '../../domain/operations/asker.js';
import { parentPlaces } from '../../domain/services/role-graph.js';
import { isReady } from '../../domain/vms/ready.js';
import { placeOf, placesOf } from '../../domain/vms/stays.js';
import { debuggingOf } from '../../domain/vms/vm-debugging.js';
import { isVmGone, isVmOff, isVmRunning, vmStateName } from '../../domain/vms/vm-states.js';
import type { HostSubject, ServiceSubject, VmFacts, VmSubject } from '../../domain/why/facts.js';
import { idlePolicies } from '../../domain/why/policy-story.js';
import type { HaPolicy } from '../../schemas/hosts/ha.js';
import type { Host } from '../../schemas/hosts/host.js';
import type { Role, Service } from '../../schemas/services/service.js';
import type { Vm } from '../../schemas/vms/vm.js';
import { taken, usable } from '../../store/hosts/host-reads.js';
import type { Store } from '../../store/store.js';
import type { ToldVm } from '../../store/vms/vms-of-service.js';

/** `only`: one of its roles, where nothing else of it is asked for. */
export async function serviceSubject(store: Store, service: Service, only?: string): Promise<ServiceSubject> {
  const isAsked = (role: string | undefined): boolean => only === undefined || role === only;
  const vms = (await store.vms.toldSince(service._id, new Date())).filter((vm) => isAsked(vm.service?.role));
  const records = await store.elasticity.ofServices([service]);
  const now = new Date();
  const policies = service.roles.flatMap((role) => {
    const record = records.find((one) => one.role === role.name);
    return isAsked(role.name) ? idlePolicies(role, { record, schedule: service.schedule }, now) : [];
  });
  const [switches, offline] = await Promise.all([
    switchesOf(store, vms),
    store.hosts.offlineOf(vms.flatMap((vm) => placeOf(vm)?.hid ?? [])),
  ]);
  const parents = parentPlaces(service.roles, service.body.deployment);
  const isNext = ({ state }: Role, at: number): boolean =>
    state === 'PENDING' && (parents[at] ?? []).every((parent) => service.roles[parent]?.state === 'RUNNING');
  return {
    type: 'service',
    id: service._id,
    name: service.name,
    state: service.state,
    roles: service.roles.flatMap((role, at) => {
      const { name, state, reason, cardinality, lowered, cooldown_until } = role;
      if (!isAsked(name)) return [];
      const next = isNext(role, at) && { isNext: true };
      return [
        {
          name,
          state,
          reason,
          cardinality,
          ...(lowered && { lowered }),
          ...(cooldown_until && { cooldown_until }),
          ...next,
        },
      ];
    }),
    vms: vms.filter((vm) => !isVmGone(vm)).map((vm) => ({ ...vmFacts(vm, service, offline), ...switches.get(vm._id) })),
    ...(policies.length > 0 && { policies }),
  };
}

/** Of so many VMs at most it is looked up who has switched them off. */
const mostLookedUp = 200;

async function switchesOf(
  { operations }: Store,
  vms: readonly ToldVm[],
): Promise<ReadonlyMap<number, Pick<VmFacts, 'switched'>>> {
  const off = vms.filter(isVmOff).slice(0, mostLookedUp);
  if (off.length === 0) return new Map();
  const switches = await operations.lastSwitches(off.map(({ _id }) => _id));
  return new Map(
    [...switches].map(([id, operation]) => {
      const { input, created_at, ended_at } = operation;
      return [id, { switched: { action: input.action, by: askerOf(operation), at: ended_at ?? created_at } }];
    }),
  );
}

export async function vmSubject(store: Store, vm: Vm, service: Service | null): Promise<VmSubject> {
  const hosts = await store.hosts.byIds(placesOf(vm).map(({ hid }) => hid));
  const host = hosts.find(({ state }) => state === 'ERROR');
  const offline = new Map(hosts.flatMap(({ _id, name, state }) => (state === 'OFFLINE' ? [[_id, name]] : [])));
  const debugging = debuggingOf(vm);
  return {
    ...vmFacts(vm, service, offline),
    type: 'vm',
    endedAt: vm.ended_at,
    service: service && { id: service._id, name: service.name },
    ...(debugging?.begun && { debugging }),
    ...(vm.moving && { target: vm.moving.hostname }),
    silentHost:
      host !== undefined
        ? { name: host.name, error: host.error ?? 'it said nothing', lastProbe: host.last_monitored_at }
        : null,
  };
}

export async function hostSubject(store: Store, host: Host, nextProbe?: Date | null): Promise<HostSubject> {
  return {
    type: 'host',
    id: host._id,
    name: host.name,
    state: host.state,
    error: host.error,
    lastProbe: host.last_monitored_at,
    ...(host.fenced && { fenced: host.fenced }),
    ...(host.ha && { ha: await haOf(store, host, host.ha) }),
    ...(host.silent_since && { silentSince: host.silent_since }),
    ...(nextProbe !== undefined && { nextProbe }),
    total: usable(host),
    used: taken(host),
    vms: Object.keys(host.vms).length,
    waiting: await store.vms.anyWaiting(),
  };
}

/** A brake matters to one that does not answer alone. */
async function haOf(
  store: Store,
  host: Host,
  { action, polls }: Pick<HaPolicy, 'action' | 'polls'>,
): Promise<NonNullable<HostSubject['ha']>> {
  const brake = host.state === 'ERROR' ? brakeOn(host, await store.hosts.all()) : null;
  return { action, polls, missed: host.missed ?? 0, brake, unarmed: whyUnarmed(host, host._id) };
}

/** `offline`: the hosts that are that, by id. */
const vmFacts = (vm: ToldVm, service: Service | null, offline: ReadonlyMap<number, string>): VmFacts => ({
  id: vm._id,
  name: vm.name,
  role: vm.service?.role ?? null,
  state: vmStateName(vm),
  reason: vm.reason,
  unready: service?.body.ready_status_gate === true && isVmRunning(vm) && !isReady(vm.user_template),
  host: placeOf(vm)?.hostname ?? null,
  ...(offline.has(placeOf(vm)?.hid ?? -1) && { offline: true }),
});
