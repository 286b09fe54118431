import type { ActionFacts, ResourceFacts, RoleFacts, Work } from '../../domain/acts/facts.js';
import { isArmed } from '../../domain/failover/armed.js';
import { isAutomatic } from '../../domain/hosts/fencing-methods.js';
import { isOff } from '../../domain/hosts/host-states.js';
import type { Caller } from '../../domain/identity/caller.js';
import { allowed, isAdministrator, type Subject } from '../../domain/identity/permissions.js';
import { isOpen } from '../../domain/operation-states.js';
import { askerOf } from '../../domain/operations/asker.js';
import { operationAtWork } from '../../domain/operations/at-work.js';
import { recoverable, rolesToRecover, rolesToRepair } from '../../domain/services/roles-to-repair.js';
import { isReady } from '../../domain/vms/ready.js';
import { placeOf } from '../../domain/vms/stays.js';
import { debuggingOf } from '../../domain/vms/vm-debugging.js';
import { isVmRunning, vmStateName } from '../../domain/vms/vm-states.js';
import type { Host } from '../../schemas/hosts/host.js';
import { kinds, type OperatedKind } from '../../schemas/kinds.js';
import type { App } from '../../schemas/market/app.js';
import { isTermination, isUndeployment, type Operation, type ResourceRef } from '../../schemas/operations/operation.js';
import { isApart } from '../../schemas/operations.js';
import type { Service } from '../../schemas/services/service.js';
import type { Image } from '../../schemas/storage/image.js';
import type { Vm } from '../../schemas/vms/vm.js';
import type { Store } from '../../store/store.js';
import { operationSubject, subjectOf } from '../authorise.js';

/** What an operation or a question is about, as it is now. */
export type Resource =
  | { type: 'service'; service: Service }
  /** With the service that it is a node of, if it is. */
  | { type: 'vm'; vm: Vm; service: Service | null }
  | { type: 'host'; host: Host }
  | { type: 'image'; image: Image }
  | { type: 'app'; app: App }
  | { type: 'zone'; id: number };

const finders: Record<OperatedKind, (store: Store, id: number) => Promise<Resource | null>> = {
  service: async (store, id) => {
    const service = await store.services.find(id);
    return service && { type: 'service', service };
  },
  vm: async (store, id) => {
    const vm = await store.vms.find(id);
    return vm && { type: 'vm', vm, service: vm.service ? await store.services.find(vm.service.id) : null };
  },
  host: async (store, id) => {
    const host = await store.hosts.find(id);
    return host && { type: 'host', host };
  },
  image: async (store, id) => {
    const image = await store.images.find(id);
    return image && { type: 'image', image };
  },
  app: async (store, id) => {
    const app = await store.apps.find(id);
    return app && { type: 'app', app };
  },
  zone: async (_store, id) => ({ type: 'zone', id }),
};

/** The resource of an operation; null: it is gone. */
export const findResource = (store: Store, { type, id }: ResourceRef): Promise<Resource | null> =>
  finders[type](store, id);

/** A resource, as rights are asked on it; null: it has no owner. */
export function subjectOfResource(resource: Resource): Subject | null {
  switch (resource.type) {
    case 'service':
      return subjectOf('service', resource.service);
    case 'vm':
      return subjectOf('vm', resource.vm);
    case 'host':
      return subjectOf('host', resource.host);
    case 'image':
      return subjectOf('image', resource.image);
    case 'app':
      return subjectOf('app', resource.app);
    case 'zone':
      return null;
  }
}

/** What decides which actions this caller may take now, on an operation and its resource or on a resource. */
export async function actionFacts(
  store: Store,
  caller: Caller,
  about: ActionFacts['about'],
  operation: Operation | null,
  resource: Resource | null,
): Promise<ActionFacts> {
  const subject = resource && subjectOfResource(resource);
  const [facts, switchedOff, last] = await Promise.all([
    resource && resourceFacts(store, resource),
    about === 'resource' && resource?.type === 'service' ? store.vms.anySwitchedOff(resource.service._id) : false,
    operation && !isApart(operation.kind) ? store.operations.lastOf(operation.resource, operation.role) : null,
  ]);
  return {
    about,
    operation,
    after: last && last._id !== operation?._id ? last : null,
    resource: facts?.type === 'service' ? { ...facts, switchedOff } : facts,
    mayManage: mayManage(caller, operation, resource),
    mayAdmin: subject !== null && allowed(caller, subject, 'admin'),
  };
}

function mayManage(caller: Caller, operation: Operation | null, resource: Resource | null): boolean {
  const forAdministrators = (type: Resource['type']): boolean => kinds[type].edits === 'administrator';
  if ((operation && forAdministrators(operation.resource.type)) || (resource && forAdministrators(resource.type)))
    return isAdministrator(caller);
  if (operation && !allowed(caller, operationSubject(operation), 'manage')) return false;
  const subject = resource && subjectOfResource(resource);
  const right = resource && kinds[resource.type].edits;
  return !subject || !right || right === 'administrator' || allowed(caller, subject, right);
}

/** What a resource is like now, and who is at work on it. */
export async function resourceFacts(store: Store, resource: Resource): Promise<ResourceFacts> {
  switch (resource.type) {
    case 'zone': {
      const holder = await store.consistency.holderOfZone(resource.id);
      const standing = await standingOf(store, holder);
      // The zone may still name a check that has ended: the next one takes its place.
      return { ...resource, work: standing && isOpen(standing) ? workOf(standing._id, standing) : null };
    }
    case 'host': {
      const { _id: id, name, state, error, vm_count: vms, operation: op = null, fenced = null } = resource.host;
      const work = op === null ? null : workOf(op, await standingOf(store, op));
      const { ha, outside, power_cut } = resource.host;
      return {
        ...{ type: 'host', id, name, state, error, vms, work },
        ...(fenced && { fenced: true }),
        ...(ha && {
          ha: { automatic: ha.fencing.filter(isAutomatic).length, armed: isArmed(resource.host) === true },
        }),
        ...(power_cut && power_cut.methods === ha?.methods && { cut: true }),
        ...(outside && (outside.cpu > 0 || outside.memory > 0) && { outside: true }),
      };
    }
    case 'image': {
      const { _id: id, name, state, reason, vms, clones, apps = [], lock } = resource.image;
      const op = operationAtWork(resource.image);
      const work = op === null ? null : workOf(op, await standingOf(store, op));
      return { type: 'image', id, name, state, reason, vms, clones, apps, locked: lock != null, work };
    }
    case 'app': {
      const { _id: id, name, state, reason, exports, upstream } = resource.app;
      const op = operationAtWork(resource.app);
      const work = op === null ? null : workOf(op, await standingOf(store, op));
      return { type: 'app', id, name, state, reason, exports, upstream: upstream !== null, work };
    }
    case 'service': {
      const { _id: id, state, wanted } = resource.service;
      const op = operationAtWork(resource.service);
      const [standing, roles] = await Promise.all([standingOf(store, op), roleFacts(store, resource.service)]);
      // What nobody knows anything of cannot be outbid.
      const going = standing && isUndeployment(standing) ? standing.input : { hard: true, remove: true };
      return {
        type: 'service',
        id,
        state,
        work: op === null ? null : workOf(op, standing),
        going: wanted === null ? null : going,
        roles,
      };
    }
    case 'vm': {
      const { vm, service } = resource;
      const op = operationAtWork(vm);
      const hid = placeOf(vm)?.hid;
      const debugging = debuggingOf(vm);
      const [standing, [host]] = await Promise.all([
        standingOf(store, op),
        hid === undefined ? [] : store.hosts.byIds([hid]),
      ]);
      const going = standing && isTermination(standing) ? standing.input : { hard: true };
      return {
        type: 'vm',
        id: vm._id,
        state: vmStateName(vm),
        work: op === null ? null : workOf(op, standing),
        going: vm.wanted === null ? null : going,
        unready: service?.body.ready_status_gate === true && isVmRunning(vm) && !isReady(vm.user_template),
        between: (vm.moving ?? null) !== null,
        ...(host &&
          isOff(host) && { offline: `${host.name}, which is ${host.state === 'OFFLINE' ? 'OFFLINE' : 'off'}` }),
        ofService: vm.service !== null,
        ...(vm.template_id === null && { imported: true }),
        resched: (vm.resched ?? null) !== null,
        ...(debugging && {
          debugging: { ...debugging, actions: debugging.actions.map(({ action }) => action) },
        }),
      };
    }
  }
}

/** Roles that are at work on their own, those that a repair or recovery needs, those whose scaling has failed, and those on hold. */
async function roleFacts(store: Store, service: Service): Promise<RoleFacts[]> {
  const { state: ofService, roles } = service;
  const amiss = new Set(recoverable.includes(ofService) ? rolesToRecover(service) : rolesToRepair(roles));
  const told = roles.filter(
    ({ name, operation, state }) => operation || amiss.has(name) || state === 'FAILED_SCALING' || state === 'HOLD',
  );
  return Promise.all(
    told.map(async ({ name, state, operation = null }) => {
      const standing = await standingOf(store, operation);
      const work = operation === null ? null : workOf(operation, standing);
      return { name, state, work, ...(amiss.has(name) && { amiss: true }) };
    }),
  );
}

const standingOf = (store: Store, op: string | null): Promise<Operation | null> =>
  op === null ? Promise.resolve(null) : store.operations.find(op);

const workOf = (op: string, standing: Operation | null): Work => ({
  op,
  kind: standing?.kind ?? null,
  state: standing?.state ?? null,
  ...(standing && { by: askerOf(standing) }),
});
