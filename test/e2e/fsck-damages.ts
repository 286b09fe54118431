import { z } from 'zod';
import type { TemporalEngine } from '../../adapters/engine/temporal.js';
import { leaseKey } from '../../domain/networks/lease-key.js';
import type { FindingCode, FindingResource } from '../../schemas/consistency/consistency.js';
import type { LeaseHolder } from '../../schemas/networks/lease.js';
import type { HistoryRecord } from '../../schemas/vms/vm.js';
import type { WorkVm } from '../../store/vms/work-vms.js';
import type { Cluster } from '../support/cluster.js';
import { eventually } from '../support/processes.js';

/** `service`: one that runs, of two `front`, for this damage alone; `datastores`: the directory that they lie in. */
export type Place = {
  cluster: Cluster;
  engine: TemporalEngine;
  datastores: string;
  service: number;
  gated: number;
};

/** What is then to be found, and how a person mends what no repair does. */
export type Done = { resource: FindingResource; mend?: () => Promise<unknown> };

export type Damage = { code: FindingCode; bringAbout: (place: Place) => Promise<Done> };

/** An operation that never was. */
const nobody = '01KAJ3V5Q0F8T4X2M7N9P6R1SC';
const small = { cpu: 50, memory: 256 };

const vmOf = async ({ cluster, service }: Place): Promise<WorkVm & { stay: HistoryRecord }> => {
  const [vm] = await cluster.store.vms.ofService(service, ['front']);
  const stay = vm?.history.at(-1);
  if (!vm || !stay) throw new Error(`service ${service} has no VM`);
  return { ...vm, stay };
};

const onService = async (place: Place, set: Record<string, unknown>): Promise<Done> => {
  await place.cluster.store.services.model.updateOne({ _id: place.service }, { $set: set });
  return { resource: { type: 'service', id: place.service } };
};

const onVm = async (place: Place, set: (vm: WorkVm) => Record<string, unknown>): Promise<Done> => {
  const vm = await vmOf(place);
  await place.cluster.store.vms.model.updateOne({ _id: vm._id }, { $set: set(vm) });
  return { resource: { type: 'vm', id: vm._id } };
};

/** A VM that fits nowhere, once its operation waits. */
async function waitingVm({ cluster }: Place): Promise<{ vm: number; op: string }> {
  const template_id = await cluster.client.make('/vm-templates', {
    name: crypto.randomUUID(),
    template: { CPU: 4000, MEMORY: 1 },
  });
  const { id: op, resource } = await cluster.client.accepted('POST', '/vms', { template_id });
  await cluster.client.awaitOperation(op, 'waiting');
  return { vm: resource.id, op };
}

async function terminate({ cluster }: Place, vm: number): Promise<void> {
  const { id } = await cluster.client.accepted('POST', `/vms/${vm}/terminate`, {});
  await cluster.client.awaitOperation(id, 'succeeded');
}

const ownNetwork = ({ cluster }: Place): Promise<number> =>
  cluster.client.make('/virtual-networks', {
    name: crypto.randomUUID(),
    address_ranges: [{ type: 'IP4', ip: '10.0.0.1', size: 4 }],
  });
const firstOf = (network: number) => ({ network, ar_id: 0, index: 0 });
const lease = ({ cluster }: Place, network: number, holder: LeaseHolder) =>
  cluster.store.leases.model.create([
    { _id: leaseKey(firstOf(network)), ...firstOf(network), holder, taken_at: new Date() },
  ]);
const nicOn = (network: number) => ({
  ...{ nic_id: 0, network: 'lan' },
  lease: {
    ...{ ...firstOf(network), ip: '10.0.0.1', ip6_link: null, ip6_global: null, ip6_ula: null },
    ...{ vn_mad: 'dummy', bridge: 'br0', phydev: null, vlan_id: null },
  },
});

async function ownHost({ cluster }: Place): Promise<{ host: number; name: string }> {
  const name = `host-${crypto.randomUUID()}`;
  const host = await cluster.client.make('/hosts', { name, cpu: 1, memory: 1024 });
  await eventually(async () => (await cluster.store.hosts.find(host))?.state === 'MONITORED');
  await cluster.client.send('PATCH', `/hosts/${host}`, { state: 'disabled' });
  return { host, name };
}

/** The deployment of a service that waits until its VMs say READY: its run stays open. */
async function gatedDeployment({
  cluster,
  gated,
}: Place): Promise<{ op: string; workflowId: string; service: number }> {
  const {
    id: op,
    resource,
    workflow,
  } = await cluster.client.accepted('POST', `/service-templates/${gated}/instantiate`, {});
  await eventually(async () => (await cluster.store.operations.find(op))?.waiting_for?.includes('READY'));
  return { op, workflowId: workflow.id, service: resource.id };
}

const plantDomain = async ({ cluster }: Place, host: string, vm: number, epoch: number) =>
  cluster.simulator.ask(z.unknown(), 'POST', `/hosts/${host}/deploy`, {
    installation: await cluster.store.installation.id(),
    ...{ vm, domain: `planted-${vm}`, epoch, capacity: small, labels: { vm } },
    host: { cpu: 6_400, memory: 65_536 },
  });

const damage = (code: FindingCode, bringAbout: Damage['bringAbout']): Damage => ({ code, bringAbout });

/** A way to bring about each thing that a check can find. */
export const damages: readonly Damage[] = [
  damage('service_abandoned', (place) => onService(place, { state: 'DEPLOYING', 'roles.0.state': 'DEPLOYING' })),
  damage('service_operation_stale', (place) => onService(place, { operation: nobody })),
  damage('service_wanted_stale', (place) => onService(place, { wanted: nobody })),
  damage('service_hold_stale', (place) => onService(place, { holds: { front: { op: nobody, epoch: 9 } } })),
  damage('service_done_with_vms', (place) => onService(place, { state: 'DONE', 'roles.$[].state': 'DONE' })),
  damage('service_operation_owner_differs', async (place) => {
    await place.cluster.store.operations.model.updateMany(
      { 'resource.type': 'service', 'resource.id': place.service },
      { $set: { gid: 7 } },
    );
    return { resource: { type: 'service', id: place.service } };
  }),
  damage('service_network_missing', (place) =>
    onService(place, { networks: [{ name: 'Own', id: 4713, reserved: { from: 0, size: 1, made: true } }] }),
  ),
  damage('role_operation_stale', (place) => onService(place, { 'roles.0.operation': nobody })),
  damage('role_state_wrong', (place) => onService(place, { 'roles.0.state': 'DEPLOYING' })),
  damage('role_incomplete', async (place) => {
    const vm = await vmOf(place);
    const { id } = await place.cluster.client.accepted('POST', `/vms/${vm._id}/terminate`, { hard: true });
    await place.cluster.client.awaitOperation(id, 'succeeded');
    return onService(place, { 'roles.0.cardinality': 2 });
  }),
  damage('role_surplus', async (place) => ({
    ...(await onService(place, { 'roles.0.cardinality': 1 })),
    mend: () => onService(place, { 'roles.0.cardinality': 2 }),
  })),
  damage('role_number_twice', async (place) => {
    const { model } = place.cluster.store.vms;
    const { name, key, partialFilterExpression } =
      (await model.collection.indexes()).find(({ unique }) => unique === true) ?? {};
    if (name === undefined || !key || !partialFilterExpression) throw new Error('there is no unique index');
    const replaceIndex = async (unique: boolean) => {
      await model.collection.dropIndex(name);
      await model.collection.createIndex(key, { name, partialFilterExpression, unique });
    };
    await replaceIndex(false);
    await model.updateMany(
      { 'service.id': place.service, 'service.role': 'front' },
      { $set: { 'service.ordinal': 0 } },
    );
    const mend = async () => {
      const vm = await vmOf(place);
      await model.updateOne({ _id: vm._id }, { $set: { 'service.ordinal': 1 } });
      await replaceIndex(true);
    };
    return { resource: { type: 'service', id: place.service }, mend };
  }),
  damage('vm_abandoned', (place) => onVm(place, () => ({ lcm_state: 'BOOT' }))),
  damage('vm_operation_stale', (place) => onVm(place, () => ({ operation: nobody }))),
  damage('vm_wanted_stale', (place) => onVm(place, () => ({ wanted: nobody }))),
  damage('vm_hold_stale', (place) => onVm(place, ({ epoch }) => ({ hold: { op: nobody, epoch, attempt: 1 } }))),
  damage('vm_waits_for_nothing', async (place) => {
    const { vm, op } = await waitingVm(place);
    await place.cluster.store.endings.end(op, { state: 'succeeded' });
    return { resource: { type: 'vm', id: vm }, mend: () => terminate(place, vm) };
  }),
  damage('vm_without_service', async (place) => {
    const vm = await vmOf(place);
    const { model } = place.cluster.store.vms;
    await model.updateOne({ _id: vm._id }, { $set: { 'service.role': 'nowhere' } });
    const mend = () => model.updateOne({ _id: vm._id }, { $set: { 'service.role': 'front' } });
    return { resource: { type: 'vm', id: vm._id }, mend };
  }),
  damage('vm_owner_differs', (place) => onVm(place, () => ({ uid: 7 }))),
  damage('vm_operation_owner_differs', async (place) => {
    const { vm, op } = await waitingVm(place);
    await place.cluster.store.operations.model.updateOne({ _id: op }, { $set: { uid: 7 } });
    return { resource: { type: 'vm', id: vm }, mend: () => terminate(place, vm) };
  }),
  damage('vm_without_host', async (place) => ({
    ...(await onVm(place, () => ({ 'history.0.etime': new Date() }))),
    mend: () => onVm(place, () => ({ 'history.0.etime': null })),
  })),
  damage('vm_done_on_host', async (place) => {
    const { cluster } = place;
    const { vm, op } = await waitingVm(place);
    const { id } = await cluster.client.accepted('POST', `/vms/${vm}/terminate`, {});
    await Promise.all([cluster.client.awaitOperation(id, 'succeeded'), cluster.client.awaitOperation(op, 'cancelled')]);
    const { stay } = await vmOf(place);
    await cluster.store.vms.model.updateOne({ _id: vm }, { $set: { history: [stay] } });
    return { resource: { type: 'vm', id: vm } };
  }),
  damage('vm_not_reserved', async (place) => {
    const { _id: vm, stay, capacity } = await vmOf(place);
    await place.cluster.store.hosts.release([{ vm, host: stay.hid, capacity }]);
    return { resource: { type: 'vm', id: vm } };
  }),
  damage('reservation_orphaned', async (place) => {
    const { stay } = await vmOf(place);
    await place.cluster.store.hosts.reserve([{ vm: 4711, host: stay.hid, capacity: small }]);
    return { resource: { type: 'host', id: stay.hid } };
  }),
  damage('reservation_differs', async (place) => {
    const { _id: vm, stay } = await vmOf(place);
    const more = { [`vms.${vm}.cpu`]: 10, 'used.cpu': 10 };
    await place.cluster.store.hosts.model.updateOne({ _id: stay.hid }, { $inc: more });
    return { resource: { type: 'host', id: stay.hid } };
  }),
  damage('host_operation_stale', async (place) => {
    const { host } = await ownHost(place);
    await place.cluster.store.hosts.model.updateOne({ _id: host }, { $set: { operation: nobody } });
    return { resource: { type: 'host', id: host } };
  }),
  damage('host_sums_wrong', async (place) => {
    const { host } = await ownHost(place);
    await place.cluster.store.hosts.model.updateOne({ _id: host }, { $inc: { 'used.memory': 7 } });
    return { resource: { type: 'host', id: host } };
  }),
  damage('host_overcommitted', async (place) => {
    const { stay } = await vmOf(place);
    const { model } = place.cluster.store.hosts;
    await model.updateOne({ _id: stay.hid }, { $set: { 'total.memory': 1 } });
    const mend = () => model.updateOne({ _id: stay.hid }, { $set: { 'total.memory': 65_536 } });
    return { resource: { type: 'host', id: stay.hid }, mend };
  }),
  damage('host_unreachable', async (place) => {
    const { host, name } = await ownHost(place);
    await place.cluster.simulator.send('PUT', `/hosts/${name}/faults`, { dead: true });
    return {
      resource: { type: 'host', id: host },
      mend: () => place.cluster.simulator.send('PUT', `/hosts/${name}/faults`, {}),
    };
  }),
  damage('domain_orphaned', async (place) => {
    const gone = await place.cluster.store.vms.model.findOne({ state: 'DONE' }).lean().exec();
    if (!gone) throw new Error('no VM is DONE');
    await plantDomain(place, 'host-0', gone._id, gone.epoch);
    return { resource: { type: 'vm', id: gone._id } };
  }),
  damage('domain_doubtful', async (place) => {
    await plantDomain(place, 'host-0', 4712, 1);
    const mend = () => place.cluster.simulator.send('PUT', '/hosts/host-0/faults', { lose: [4712] });
    return { resource: { type: 'vm', id: 4712 }, mend };
  }),
  damage('domain_elsewhere', async (place) => {
    const { _id: vm, stay } = await vmOf(place);
    await plantDomain(place, stay.hostname === 'host-0' ? 'host-1' : 'host-0', vm, 0);
    return { resource: { type: 'vm', id: vm } };
  }),
  damage('domain_missing', async (place) => {
    const { _id: vm, stay } = await vmOf(place);
    await place.cluster.simulator.send('PUT', `/hosts/${stay.hostname}/faults`, { lose: [vm] });
    return { resource: { type: 'vm', id: vm } };
  }),
  damage('domain_stopped', async (place) => {
    const { _id: vm, stay } = await vmOf(place);
    await place.cluster.simulator.send('PUT', `/hosts/${stay.hostname}/vms/${vm}`, { state: 'stopped' });
    return { resource: { type: 'vm', id: vm } };
  }),
  damage('domain_older', (place) => onVm(place, () => ({ epoch: 9, 'history.0.epoch': 9 }))),
  damage('domain_newer', (place) => onVm(place, () => ({ epoch: 0, 'history.0.epoch': 0 }))),
  damage('operation_without_run', async (place) => {
    const { op, workflowId } = await gatedDeployment(place);
    const run = await place.engine.latestRun(workflowId);
    if (run) await place.engine.terminate(workflowId, run, 'a test');
    return { resource: { type: 'operation', id: op } };
  }),
  damage('operation_forgotten', async (place) => {
    const { vm, op } = await waitingVm(place);
    await place.cluster.store.vms.model.deleteOne({ _id: vm });
    return { resource: { type: 'operation', id: op } };
  }),
  damage('run_without_operation', async (place) => {
    const { op, workflowId } = await gatedDeployment(place);
    const { endings, operations } = place.cluster.store;
    await endings.end(op, { state: 'failed', error: { code: 'run_lost', detail: 'a test' } });
    await operations.model.updateOne({ _id: op }, { $set: { ended_at: new Date(Date.now() - 60_000) } });
    return { resource: { type: 'run', id: workflowId } };
  }),
  damage('counter_behind', async ({ cluster }) => {
    await cluster.store.connection.collection('counters').updateOne({ _id: 'vm' as never }, { $set: { next: 1 } });
    return { resource: { type: 'counter', id: 'vm' } };
  }),
  damage('vm_lease_stale', async (place) => {
    const { _id: id } = await vmOf(place);
    await lease(place, await ownNetwork(place), { type: 'vm', id, nic: 3 });
    return { resource: { type: 'vm', id } };
  }),
  damage('nic_lease_missing', async (place) => {
    const network = await ownNetwork(place);
    return onVm(place, () => ({ nics: [nicOn(network)] }));
  }),
  damage('nic_lease_taken', async (place) => {
    const network = await ownNetwork(place);
    await lease(place, network, { type: 'hold' });
    const done = await onVm(place, () => ({ nics: [nicOn(network)] }));
    return { ...done, mend: () => onVm(place, () => ({ nics: [] })) };
  }),
  damage('lease_orphaned', async (place) => {
    const network = await ownNetwork(place);
    await lease(place, network, { type: 'vm', id: 4713, nic: 0 });
    return { resource: { type: 'network', id: network } };
  }),
  damage('network_without_service', async (place) => {
    const network = await ownNetwork(place);
    await place.cluster.store.networks.model.updateOne({ _id: network }, { $set: { service: 4713 } });
    return { resource: { type: 'network', id: network } };
  }),
  damage('quota_drift', async ({ cluster }) => {
    const used = { services: 1, vms: 1, cpu: 50, memory: 256 };
    const limits = { services: -1, vms: -1, cpu: -1, memory: -1 };
    await cluster.store.quotas.models.group.updateOne({ _id: 1 }, { $set: { used, limits } }, { upsert: true });
    return { resource: { type: 'quota', id: 'group/1' } };
  }),
  damage('owner_missing', async ({ cluster }) => {
    const [template] = await cluster.store.vmTemplates.model.find().limit(1).lean().exec();
    if (!template) throw new Error('there is no template');
    const give = (uid: number) => cluster.store.vmTemplates.model.updateOne({ _id: template._id }, { $set: { uid } });
    await give(77);
    return { resource: { type: 'user', id: 77 }, mend: () => give(template.uid) };
  }),
];
