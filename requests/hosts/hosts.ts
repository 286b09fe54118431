import { hostEvents } from '../../domain/acts/host-acts.js';
import { nextHostState } from '../../domain/hosts/host-states.js';
import { policyOwner } from '../../domain/hosts/policy-owner.js';
import { policyOf } from '../../domain/hosts/shown-policy.js';
import type { Caller } from '../../domain/identity/caller.js';
import { objectName } from '../../domain/identity/given-names.js';
import { permissionsOfNew } from '../../domain/identity/permission-bits.js';
import { Problem } from '../../domain/problems.js';
import type { Capacity } from '../../schemas/common/capacity.js';
import type { Page } from '../../schemas/common/common.js';
import type { ListQuery } from '../../schemas/common/list.js';
import { defaultCluster } from '../../schemas/hosts/cluster.js';
import { HostPolicy } from '../../schemas/hosts/ha.js';
import type { CreateHost, Host, HostEdit, HostResource, HostState, HypervisorKind } from '../../schemas/hosts/host.js';
import type { CleanHost } from '../../schemas/hosts/strays.js';
import { Taken } from '../../store/mongo/taken.js';
import { demandOn } from '../acts/acts.js';
import { authorised, mayCreate } from '../authorise.js';
import type { OperationsContext } from '../context.js';
import type { Edit } from '../edit.js';
import { nameFree } from '../free-name.js';
import { hostResource } from '../host-resource.js';
import { objectsOf } from '../managed.js';
import { ownershipOf } from '../ownership-of.js';
import type { Precondition } from '../precondition.js';
import { namesFor } from '../resources.js';
import { checkedAttributes, withoutNulls } from './attributes.js';
import { policyFree, policyToKeep } from './ha.js';
import { wakeWaiting } from './wake-waiting.js';

const hundredths = (cores: number): number => Math.round(cores * 100);

/** How hosts are looked at and edited. */
const objects = (context: OperationsContext) =>
  objectsOf(context, 'host', {
    find: context.store.hosts.find,
    shown: (caller, hosts) => shown(context, caller, hosts),
  });

/** Whose a host is. */
export const hostOwnership = (context: OperationsContext) =>
  ownershipOf(context, 'host', {
    change: context.store.ownership.changeOf('host'),
    shown: objects(context).shownOne,
  });

export const showHost = (context: OperationsContext, caller: Caller, id: number): Promise<HostResource> =>
  objects(context).show(caller, id);

export async function listHosts(
  context: OperationsContext,
  caller: Caller,
  query: ListQuery & { state?: HostState },
): Promise<Page<HostResource>> {
  const { store } = context;
  const page = await store.hosts.list(caller, query);
  return { ...page, items: await shown(context, caller, page.items) };
}

export async function createHost(
  context: OperationsContext,
  caller: Caller,
  request: CreateHost,
): Promise<HostResource> {
  const { store } = context;
  const { shownOne } = objects(context);
  mayCreate(caller, 'host');
  const { vm_mad, cpu, memory, cluster_id, attributes, reserved, libvirt } = request;
  reachable(vm_mad, libvirt);
  const name = objectName(request.name);
  await mayPutInto(context, caller, cluster_id);
  const host: Host = {
    _id: await store.counters.one('host'),
    name,
    uid: caller.id,
    gid: caller.gid,
    permissions: permissionsOfNew(caller),
    vm_mad,
    ...(libvirt && { libvirt }),
    state: 'INIT',
    error: null,
    total: { cpu: hundredths(cpu), memory },
    cluster_id: cluster_id ?? defaultCluster,
    attributes: checkedAttributes(attributes),
    reserve: reserved ?? {},
    used: { cpu: 0, memory: 0 },
    vms: {},
    vm_count: 0,
    created_at: new Date(),
    last_monitored_at: null,
  };
  await nameFree('host', name, async () => {
    try {
      await store.clusterChanges.insertHost(host);
    } catch (error) {
      throw libvirt && error instanceof Taken && error.has('libvirt.uri')
        ? await thereAlready(context, libvirt.uri)
        : error;
    }
  });
  await monitor(context);
  return shownOne(caller, (await store.hosts.find(host._id)) ?? host);
}

/** What is said of the URI of another host. */
async function thereAlready({ store }: OperationsContext, uri: string): Promise<Problem> {
  const same = await store.hosts.withUri(uri);
  const detail = `is that of ${same ? `host ${same._id} (${same.name})` : 'another host'}`;
  return new Problem('already_there', `The URI ${detail} already.`, {
    findings: [{ pointer: '/libvirt/uri', detail }],
  });
}

/** What leads to a host is that of its kind. */
function reachable(kind: HypervisorKind, libvirt: CreateHost['libvirt']): void {
  const detail =
    kind === 'libvirt' && !libvirt
      ? 'is needed of a host of libvirt: {"uri": "qemu+ssh://arcus@host-1/system"}'
      : kind !== 'libvirt' && libvirt
        ? `is of hosts of libvirt, and this one is ${kind}`
        : null;
  if (detail !== null)
    throw new Problem('invalid_request', `/libvirt ${detail}.`, { findings: [{ pointer: '/libvirt', detail }] });
}

export async function updateHost(
  context: OperationsContext,
  caller: Caller,
  id: number,
  { revise, precondition }: Edit<HostEdit>,
): Promise<HostResource> {
  const { edit, shownOne } = objects(context);
  const { store } = context;
  const edited = await edit(caller, id, precondition, async (host, transaction) => {
    const before = editable(host);
    const { wish, named } = revise(before);
    const { state, cpu, memory, cluster_id, reserved } = wish;
    const attributes = checkedAttributes(wish.attributes, before.attributes);
    const total: Capacity = { cpu: hundredths(cpu), memory };
    if (cluster_id !== before.cluster_id) await mayPutInto(context, caller, cluster_id);
    const sizes = { total, cluster_id, reserve: reserved };
    const resizes = cpu !== before.cpu || memory !== before.memory || cluster_id !== before.cluster_id;
    if (resizes || named.has('reserved')) await store.clusterChanges.resizeHost(id, sizes, transaction);
    // Enabling one that is in ERROR has it tried again, though nothing of its state was wished otherwise.
    const becomes = named.has('state') ? nextHostState(host.state, hostEvents[state]) : undefined;
    // What is being flushed stays disabled until that has ended.
    if (becomes !== undefined && host.operation)
      await demandOn(store, { do: 'setHost', to: state }, { type: 'host', host });
    const follows = policyOwner(host) === 'cluster' && cluster_id !== before.cluster_id;
    if (named.has('ha') || follows) await policyFree(context, host);
    if (named.has('ha') && wish.ha === null) await store.clusterChanges.followPolicy(id, transaction);
    if (cluster_id !== before.cluster_id) await store.operations.setCluster(id, cluster_id, transaction);
    const after = await store.hosts.update(
      id,
      {
        attributes,
        ...(named.has('ha') &&
          wish.ha && { ha: policyToKeep(context, host, wish.ha, caller.id), ha_of: 'host' as const }),
        // That one does not answer is not forgotten with its being disabled.
        ...(becomes !== undefined && { state: becomes, error: silenceLeft(host, becomes) }),
      },
      transaction,
    );
    return after && { after, becomes, wasOffline: host.state === 'OFFLINE' && becomes === 'DISABLED' };
  });
  // A look says what it is: before that nobody knows whether it answers.
  if (edited.becomes === 'INIT' || edited.wasOffline) await monitor(context);
  else await wakeWaiting(context);
  return shownOne(caller, edited.after);
}

/**
 * Has zombies removed, those too about which somebody has to be asked. The next looks at the host do it: each is removed under
 * the epoch that was seen, and stays listed, with the reason, as long as that fails.
 */
export async function cleanHost(
  context: OperationsContext,
  caller: Caller,
  id: number,
  { vms }: CleanHost,
  precondition: Precondition,
): Promise<HostResource> {
  const { edit, shownOne } = objects(context);
  const { store } = context;
  const after = await edit(caller, id, precondition, async (host, transaction) => {
    const zombies = host.strays?.zombies ?? [];
    const findings = (vms ?? []).flatMap((vm, at) => {
      const one = zombies.find((zombie) => zombie.vm === vm);
      const detail = !one
        ? `host ${id} (${host.name}) has no zombie of VM ${vm}`
        : one.reason === 'last_copy'
          ? `it may be the last copy of VM ${vm}, which is not DONE: end the VM first`
          : null;
      return detail === null ? [] : [{ pointer: `/vms/${at}`, detail }];
    });
    if (findings.length > 0)
      throw new Problem('invalid_request', `Nothing was removed: ${findings.map(({ detail }) => detail).join('; ')}.`, {
        findings,
      });
    const wanted = zombies.filter(({ vm, reason }) => reason !== 'last_copy' && (!vms || vms.includes(vm)));
    const condemned = wanted.map(({ vm, deploy_id }) => ({ vm, deploy_id }));
    return condemned.length === 0 ? host : store.hosts.condemn(id, condemned, transaction);
  });
  await monitor(context);
  return shownOne(caller, after);
}

export async function removeHost(
  context: OperationsContext,
  caller: Caller,
  id: number,
  precondition: Precondition,
): Promise<void> {
  const { edit } = objects(context);
  const { store } = context;
  await edit(caller, id, precondition, async (host, transaction) => {
    if (host.operation) await demandOn(store, { do: 'flush' }, { type: 'host', host });
    if (await store.hosts.removeEmpty(id, transaction)) return true;
    const count = Object.keys(host.vms).length;
    throw new Problem('in_use', `Host ${id} (${host.name}) holds ${count} VMs. Disable it and terminate them first.`);
  });
}

async function shown(context: OperationsContext, caller: Caller, hosts: readonly Host[]): Promise<HostResource[]> {
  const { directory, settings } = context;
  const names = await namesFor(directory, caller, hosts);
  return hosts.map((host) => hostResource(host, names, settings));
}

/** Monitoring decides whether a host is usable, and tells those that wait for capacity: at once, not at the next tick. */
function monitor(context: OperationsContext): Promise<void> {
  const { engine, onDelayed } = context;
  return engine.monitorNow().catch((error: unknown) => onDelayed('hosts are monitored at the next tick', error));
}

async function mayPutInto(context: OperationsContext, caller: Caller, cluster: number | undefined): Promise<void> {
  const { store } = context;
  if (cluster === undefined) return;
  const found = await store.clusters.find(cluster);
  if (!found)
    throw new Problem('invalid_request', `There is no cluster ${cluster}.`, {
      findings: [{ pointer: '/cluster_id', detail: `there is no cluster ${cluster}` }],
    });
  authorised(caller, 'cluster', found, 'admin', cluster);
}

/** Of one that is watched and takes no VMs nothing else says that it does not answer, or that nobody has looked yet. */
const silenceLeft = ({ state, error }: Pick<Host, 'state' | 'error'>, becomes: HostState): string | null => {
  if (becomes !== 'DISABLED') return null;
  return state === 'OFFLINE' ? 'nobody has looked at it since it was OFFLINE' : state === 'ERROR' ? error : null;
};

/** What can be edited of a host, as it is. */
function editable(host: Host): HostEdit {
  const { state, total, cluster_id = defaultCluster, attributes = {}, reserve = {} } = host;
  const wished = state === 'DISABLED' ? 'disabled' : state === 'OFFLINE' ? 'offline' : 'enabled';
  return {
    state: wished,
    cpu: total.cpu / 100,
    memory: total.memory,
    cluster_id,
    attributes,
    reserved: withoutNulls(reserve),
    ha: ownPolicy(host),
  };
}

/** Its own; null: it does what its cluster says. */
function ownPolicy(host: Host): HostPolicy | null {
  if (policyOwner(host) === 'cluster') return null;
  return policyOf(host) ?? HostPolicy.parse({ action: 'none' });
}
