import { ulid } from 'ulid';
import type { Ownership } from '../../schemas/common/common.js';
import type { Operation, ResourceRef } from '../../schemas/operations/operation.js';
import type { Service } from '../../schemas/services/service.js';
import type { Vm } from '../../schemas/vms/vm.js';
import type { Store } from '../../store/store.js';
import { deployingService, roleNames } from './deploying-service.js';
import { madeOperation } from './made-operation.js';
import { madeVm } from './made-vm.js';

const pick = ({ uid, gid, permissions }: Ownership): Ownership => ({ uid, gid, permissions });

/** An operation that has ended. */
const endedOperation = (resource: ResourceRef, owner: Ownership): Operation<'terminateVm'> =>
  madeOperation({
    ...{ _id: ulid(), kind: 'terminateVm', resource, input: { hard: false }, state: 'succeeded', ...owner },
    ...{ run_id: 'a-run', started_at: new Date(), ended_at: new Date() },
  });

/**
 * A service with so many VMs, with ids from a thousand times its own, on which nobody is at work, and an operation that
 * has ended on it and on every tenth VM. The last VM is DONE.
 */
export async function makeOwnedService(
  store: Store,
  id: number,
  { owner, vms: count, ...over }: { owner: Ownership; vms: number } & Partial<Service>,
): Promise<{ vms: number[] }> {
  const mine = pick(owner);
  await store.services.model.create([
    {
      ...deployingService(id, 'none'),
      ...mine,
      state: 'RUNNING',
      operation: null,
      charge: { services: 1, vms: count, cpu: 100 * count, memory: 64 * count },
      ...over,
    },
  ]);
  const vms = Array.from({ length: count }, (_, at): Vm => {
    const done = at === count - 1;
    return madeVm({
      _id: id * 1_000 + at,
      ...mine,
      ...(done
        ? { state: 'DONE', lcm_state: 'LCM_INIT', ended_at: new Date() }
        : { state: 'ACTIVE', lcm_state: 'RUNNING' }),
      service: { id, role: roleNames[at % roleNames.length] ?? '', ordinal: at },
    });
  });
  await store.vms.model.insertMany(vms);
  await store.operations.model.insertMany([
    endedOperation({ type: 'service', id }, mine),
    ...vms.flatMap(({ _id }, at) => (at % 10 === 0 ? [endedOperation({ type: 'vm', id: _id }, mine)] : [])),
  ]);
  return { vms: vms.map(({ _id }) => _id) };
}

/** Everything of a service that has not its owner, group and bits, each as a sentence. */
export async function strays(store: Store, id: number): Promise<string[]> {
  const service = await store.services.find(id);
  if (!service) return [`there is no service ${id}`];
  const vms = await store.vms.model.find({ 'service.id': id }).lean<Vm[]>().exec();
  const operations = await store.operations.model
    .find({
      $or: [
        { 'resource.type': 'service', 'resource.id': id },
        { 'resource.type': 'vm', 'resource.id': { $in: vms.map(({ _id }) => _id) } },
      ],
    })
    .lean<Operation[]>()
    .exec();
  const expected = JSON.stringify(pick(service));
  return [
    ...vms.map((vm) => ({ what: `VM ${vm._id}`, is: JSON.stringify(pick(vm)) })),
    ...operations.map((op) => ({
      what: `${op.kind} on ${op.resource.type} ${op.resource.id}`,
      is: JSON.stringify(pick(op)),
    })),
  ].flatMap(({ what, is }) => (is === expected ? [] : [`${what} of service ${id} is ${is}, not ${expected}`]));
}
