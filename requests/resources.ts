import { expressionWarnings } from '../domain/expressions/findings.js';
import { policyOf } from '../domain/hosts/shown-policy.js';
import type { Caller } from '../domain/identity/caller.js';
import { operationAtWork } from '../domain/operations/at-work.js';
import { policyWarnings } from '../domain/services/elasticity-policies.js';
import { isReady } from '../domain/vms/ready.js';
import { placeOf } from '../domain/vms/stays.js';
import { debuggingOf } from '../domain/vms/vm-debugging.js';
import { shownNics } from '../domain/vms/vm-devices.js';
import type { Ownership } from '../schemas/common/common.js';
import type { Cluster, ClusterResource } from '../schemas/hosts/cluster.js';
import { eachMetric, type MetricsRow, type MonitoringResource } from '../schemas/hosts/metrics.js';
import type { NodeResource, Service, ServiceResource, ServiceSummary } from '../schemas/services/service.js';
import {
  firstRevision,
  type ServiceTemplate,
  type ServiceTemplateResource,
} from '../schemas/services/service-template.js';
import type { Vm, VmResource } from '../schemas/vms/vm.js';
import type { VmTemplate, VmTemplateResource } from '../schemas/vms/vm-template.js';
import type { Directory } from '../store/identity/directory.js';
import type { ServiceNode } from '../store/services/service-nodes.js';
import type { ServiceRow } from '../store/services/services.js';
import { type KeptOfPolicies, shownElasticity, shownSchedules } from './policy-resources.js';

/** Names of owners and groups, looked up once for a whole page; the caller's own are known. */
export type Names = (object: Pick<Ownership, 'uid' | 'gid'>) => { uname: string; gname: string };

export async function namesFor(
  { users, groups }: Pick<Directory, 'users' | 'groups'>,
  caller: Caller,
  objects: readonly Pick<Ownership, 'uid' | 'gid'>[],
): Promise<Names> {
  const unames = new Map([[caller.id, caller.name]]);
  const gnames = new Map(caller.groupNames ?? []);
  const unknown = (ids: readonly number[], known: ReadonlyMap<number, string>) =>
    [...new Set(ids)].filter((id) => !known.has(id));
  const [foundUsers, foundGroups] = await Promise.all([
    users.namesOf(
      unknown(
        objects.map(({ uid }) => uid),
        unames,
      ),
    ),
    groups.namesOf(
      unknown(
        objects.map(({ gid }) => gid),
        gnames,
      ),
    ),
  ]);
  for (const [uid, name] of foundUsers) unames.set(uid, name);
  for (const [gid, name] of foundGroups) gnames.set(gid, name);
  return ({ uid, gid }) => ({ uname: unames.get(uid) ?? String(uid), gname: gnames.get(gid) ?? String(gid) });
}

export const iso = (date: Date): string => date.toISOString();
export const isoOrNull = (date: Date | null): string | null => date && iso(date);
export const ownership = ({ uid, gid, permissions }: Ownership) => ({ uid, gid, permissions });

export const clusterResource = (cluster: Cluster, hosts: readonly number[], names: Names): ClusterResource => ({
  id: cluster._id,
  name: cluster.name,
  ...ownership(cluster),
  ...names(cluster),
  attributes: cluster.attributes,
  reserved: { cpu: cluster.reserve.cpu ?? null, memory: cluster.reserve.memory ?? null },
  ha: policyOf(cluster),
  hosts: [...hosts],
  created_at: iso(cluster.created_at),
});

export const vmTemplateResource = (template: VmTemplate, names: Names): VmTemplateResource => ({
  id: template._id,
  name: template.name,
  ...ownership(template),
  ...names(template),
  template: template.template,
  warnings: expressionWarnings(template.template),
  created_at: iso(template.created_at),
});

export const serviceTemplateResource = (template: ServiceTemplate, names: Names): ServiceTemplateResource => ({
  id: template._id,
  name: template.name,
  ...ownership(template),
  ...names(template),
  revision: template.revision ?? firstRevision,
  body: template.body,
  warnings: policyWarnings(template.body),
  created_at: iso(template.created_at),
});

const deviceResources = (vm: Vm): Pick<VmResource, 'nics' | 'disks'> => ({
  nics: shownNics(vm),
  disks: (vm.disks ?? []).map(({ disk_id, type, size, format, target, image, readonly, snapshots, current }) => ({
    ...{ disk_id, type, size, format, target },
    image: image ? { id: image.id, name: image.name, datastore_id: image.datastore } : null,
    ...{ persistent: image?.persistent ?? false, readonly: readonly ?? false },
    snapshots: snapshots.map(({ snapshot_id, name, parent, taken_at }) => ({
      ...{ snapshot_id, name, parent, active: snapshot_id === current, taken_at: iso(taken_at) },
    })),
  })),
});

export function vmResource(vm: Vm, names: Names): VmResource {
  const place = placeOf(vm);
  return {
    id: vm._id,
    name: vm.name,
    ...ownership(vm),
    ...names(vm),
    state: vm.state,
    lcm_state: vm.lcm_state,
    reason: vm.reason,
    ready: isReady(vm.user_template),
    template_id: vm.template_id,
    cpu: vm.capacity.cpu / 100,
    memory: vm.capacity.memory,
    service_id: vm.service?.id ?? null,
    role_name: vm.service?.role ?? null,
    host: place && { id: place.hid, name: place.hostname },
    resched: (vm.resched ?? null) !== null,
    ...deviceResources(vm),
    files: (vm.files ?? []).map(({ use, name, image: { id, datastore } }) => ({
      ...{ use, name, image_id: id, datastore_id: datastore },
    })),
    datastore_id: vm.datastore?.id ?? null,
    snapshots: (vm.snapshots ?? []).map(({ id, name, at, active }) => ({ id, name, time: iso(at), active })),
    debugging: debuggingResource(vm),
    template: vm.template,
    user_template: vm.user_template,
    history: vm.history.map(({ seq, hid, hostname, vm_mad, datastore, stime, etime, reason }) => ({
      seq,
      host_id: hid,
      hostname,
      vm_mad,
      datastore_id: datastore ?? null,
      started_at: iso(stime),
      ended_at: isoOrNull(etime),
      reason,
    })),
    operation: operationAtWork(vm),
    created_at: iso(vm.created_at),
    ended_at: isoOrNull(vm.ended_at),
  };
}

/** What failed of a VM, action by action. */
function debuggingResource(vm: Vm): VmResource['debugging'] {
  const standing = debuggingOf(vm);
  if (standing === null) return null;
  const { session, current, leadsTo, actions } = standing;
  return {
    ...{ session, current, leads_to: leadsTo },
    actions: actions.map(({ number, action, state, error, operation, at }) => ({
      ...{ number, action, state, error, operation, time: isoOrNull(at) },
    })),
  };
}

export const monitoringResource = (row: Omit<MetricsRow, 'vm_id'>): MonitoringResource => ({
  time: iso(row.at),
  ...eachMetric((name) => row[name] ?? 0),
});

/** `used`: what its VMs use, where that is to be told. */
export function serviceResource(
  service: Service,
  vms: readonly ServiceNode[],
  names: Names,
  { records, endings }: KeptOfPolicies,
  used: ReadonlyMap<number, MonitoringResource> = new Map(),
): ServiceResource {
  const kept = new Map(records.flatMap((one) => (one.service === service._id ? [[one.role, one] as const] : [])));
  const nodes = new Map(service.roles.map((role): [string, NodeResource[]] => [role.name, []]));
  for (const vm of vms)
    if (vm.service)
      nodes.get(vm.service.role)?.push({
        vm_id: vm._id,
        name: vm.name,
        state: vm.state,
        lcm_state: vm.lcm_state,
        ready: isReady(vm.user_template),
        host: placeOf(vm)?.hostname ?? null,
        reason: vm.reason,
        created_at: iso(vm.created_at),
        monitoring: used.get(vm._id) ?? null,
      });
  const { name: _, ...body } = service.body;
  return {
    ...body,
    id: service._id,
    name: service.name,
    ...ownership(service),
    ...names(service),
    template_id: service.template_id,
    template_revision: service.template_revision ?? null,
    state: service.state,
    deployment: service.body.deployment,
    ready_status_gate: service.body.ready_status_gate,
    shutdown_action: service.body.shutdown_action ?? null,
    virtual_networks: (service.networks ?? []).map(({ name, id, reserved, template }) => ({
      ...{ name, network_id: id, reserved_from: reserved?.from ?? null, size: reserved?.size ?? null },
      template_id: template?.id ?? null,
      made: (reserved ?? template)?.made ?? true,
    })),
    roles: service.roles.map(
      ({
        mark: _mark,
        surplus: _surplus,
        removing: _removing,
        scaled_at: _at,
        cooldown_until,
        operation = null,
        elasticity_policies: elasticity,
        scheduled_policies: policies,
        ...role
      }) => ({
        ...role,
        ...(elasticity && { elasticity_policies: shownElasticity(kept.get(role.name), elasticity) }),
        ...(policies && { scheduled_policies: shownSchedules(service.schedule, role.name, policies, endings) }),
        operation,
        cooldown_until: isoOrNull(cooldown_until ?? null),
        nodes: nodes.get(role.name) ?? [],
      }),
    ),
    log: service.log.map((entry) => ({ ...entry, timestamp: iso(entry.timestamp) })),
    operation: operationAtWork(service),
    created_at: iso(service.created_at),
    ended_at: isoOrNull(service.ended_at),
  };
}

export const serviceSummary = (service: ServiceRow, names: Names): ServiceSummary => ({
  id: service._id,
  name: service.name,
  ...ownership(service),
  ...names(service),
  template_id: service.template_id,
  state: service.state,
  roles: service.roles.map(({ name, state, cardinality }) => ({ name, state, cardinality })),
  operation: operationAtWork(service),
  created_at: iso(service.created_at),
  ended_at: isoOrNull(service.ended_at),
});
