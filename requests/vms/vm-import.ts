import { problemFor } from '../../domain/acts/verdict.js';
import type { Caller } from '../../domain/identity/caller.js';
import { objectName } from '../../domain/identity/given-names.js';
import { permissionsOfNew } from '../../domain/identity/permission-bits.js';
import { chargeOfVm } from '../../domain/identity/quotas.js';
import { Problem } from '../../domain/problems.js';
import { mayImport, wildOf } from '../../domain/vms/importing.js';
import { vmContents } from '../../domain/vms/vm-contents.js';
import { firstLine } from '../../domain/vms/vm-log.js';
import type { Host } from '../../schemas/hosts/host.js';
import type { ImportWild, StoredWild } from '../../schemas/hosts/strays.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import type { Vm } from '../../schemas/vms/vm.js';
import { authorised, mayCreate } from '../authorise.js';
import type { Admission, OperationsContext } from '../context.js';
import { admit, repeatedRequest } from '../operations/admit.js';

/** A domain on a host that is not of this Arcus becomes a VM of the caller: with its reservation, and charged, from now on. */
export async function importWild(
  context: OperationsContext,
  caller: Caller,
  id: number,
  { wild: wish, name }: ImportWild,
  admission: Admission,
): Promise<OperationResource> {
  const { store } = context;
  const host = authorised(caller, 'host', await store.hosts.find(id), 'admin', id);
  const request = { deed: 'import', id, wild: wish, ...(name !== undefined && { name }) };
  const repeated = await repeatedRequest(context, caller, admission, request);
  if (repeated) return repeated;
  mayCreate(caller, 'vm');
  const wild = wildOf(host, wish);
  if (!wild) throw await notWild(context, host, wish);
  const refusal = mayImport(host, wild);
  if (refusal) throw problemFor(refusal);
  const vm = await vmOf(context, caller, host, wild, objectName(name ?? wild.name));
  return admit(context, caller, admission, {
    kind: 'importVm',
    resource: { type: 'vm', id: vm._id },
    name: vm.name,
    owner: vm,
    input: { host: id, wild: wild.deploy_id },
    request,
    ...(vm.charge && { charge: vm.charge }),
    claim: async (op, transaction) => {
      await store.references.makeFor(vm, transaction);
      if (!(await store.wilds.adopt(id, vm._id, wild, transaction))) return null;
      await store.vms.insert({ ...vm, operation: op }, transaction);
      return vm;
    },
    refusal: async () => {
      const now = await store.hosts.find(id);
      if (now && !wildOf(now, wild.deploy_id)) return notWild(context, now, wild.deploy_id);
      return new Problem(
        'wrong_state',
        `${host.name} has no room for it when it runs: it takes ${wild.capacity.cpu / 100} CPU and ${wild.capacity.memory} MB. Make room, and import it then.`,
      );
    },
  });
}

/** The VM that a domain is to be: it has its place and its size, and lacks nothing but the domain. */
async function vmOf(
  { store }: OperationsContext,
  caller: Caller,
  host: Host,
  wild: StoredWild,
  name: string,
): Promise<Omit<Vm, 'operation'>> {
  const { deploy_id, capacity } = wild;
  const { scheduled: _none, ...contents } = vmContents({ CPU: capacity.cpu / 100, MEMORY: capacity.memory });
  const created_at = new Date();
  const boots = { state: 'ACTIVE', lcm_state: 'BOOT' } as const;
  const { _id: hid, name: hostname, vm_mad } = host;
  return {
    ...{ _id: await store.counters.one('vm'), name, uid: caller.id, gid: caller.gid },
    ...{ permissions: permissionsOfNew(caller), ...boots, reason: null, template_id: null },
    ...contents,
    capacity,
    template: { ...contents.template, IMPORT_VM_ID: deploy_id },
    service: null,
    history: [{ seq: 0, hid, hostname, vm_mad, epoch: 1, stime: created_at, etime: null, reason: 'none' }],
    ...{ deploy_id, adopts: { hid, wild }, epoch: 0, hold: null, wanted: null },
    log: [firstLine({ ...boots, created_at })],
    ...{ created_at, ended_at: null, charge: chargeOfVm(capacity) },
  };
}

/** It may be a VM's by now. */
async function notWild({ store }: OperationsContext, host: Host, wish: string): Promise<Problem> {
  const whose = await store.vms.withDomain(Object.keys(host.vms).map(Number), wish);
  const detail =
    whose === null
      ? `there is no domain ${wish} among the wilds of host ${host._id} (${host.name}), as its last look found them: arcus host show ${host._id} lists them`
      : `domain ${wish} on host ${host._id} (${host.name}) is that of VM ${whose}`;
  return new Problem('wrong_state', `Nothing was imported: ${detail}.`);
}
