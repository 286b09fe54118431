import type { Act } from '../../domain/acts/acts.js';
import { problemFor } from '../../domain/acts/verdict.js';
import { mayRename } from '../../domain/acts/vm-acts.js';
import { measureUserTemplate } from '../../domain/bounds.js';
import { staleAfter } from '../../domain/hosts/polls.js';
import type { Caller } from '../../domain/identity/caller.js';
import { objectName } from '../../domain/identity/given-names.js';
import { permissionsOfNew } from '../../domain/identity/permission-bits.js';
import { chargeOfVm } from '../../domain/identity/quotas.js';
import { workflowIdOf } from '../../domain/operations/names.js';
import { runsAtWork } from '../../domain/operations/runs-at-work.js';
import { Problem } from '../../domain/problems.js';
import { isReady } from '../../domain/vms/ready.js';
import { vmContents } from '../../domain/vms/vm-contents.js';
import { hadByNew } from '../../domain/vms/vm-had.js';
import { firstLine } from '../../domain/vms/vm-log.js';
import { scheduleOfNew } from '../../domain/vms/vm-schedules.js';
import { vmStateName } from '../../domain/vms/vm-states.js';
import type { Page } from '../../schemas/common/common.js';
import type { ListQuery } from '../../schemas/common/list.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import type { CreateVm, TerminateVm, Vm, VmEdit, VmResource, VmState } from '../../schemas/vms/vm.js';
import { untilChosen } from '../../store/mongo/choice-lost.js';
import { addressesFor } from '../../store/networks/nic-addresses.js';
import { disksFor } from '../../store/vms/disk-images.js';
import { filesFor } from '../../store/vms/file-images.js';
import { asksOf, networksFor, withNics } from '../../store/vms/nic-networks.js';
import { demandOn, whyLost } from '../acts/acts.js';
import { authorised, mayCreate } from '../authorise.js';
import type { Admission, OperationsContext, RequestsContext } from '../context.js';
import type { Edit } from '../edit.js';
import { wakeWaiting } from '../hosts/wake-waiting.js';
import { refuseNames } from '../identity/refuse-names.js';
import { objectsOf } from '../managed.js';
import { type Asked, admit, repeatedRequest } from '../operations/admit.js';
import { refuseBeyond } from '../refuse-beyond.js';
import { monitoringResource, namesFor, vmResource } from '../resources.js';
import { refuseUnreadable } from './refuse-expressions.js';
import { refuseRaw } from './refuse-raw.js';

/** How VMs are looked at and edited. */
export const objects = (context: OperationsContext) =>
  objectsOf(context, 'vm', {
    find: context.store.vms.find,
    shown: (caller, vms) => Promise.all(vms.map((vm) => shownVm(context, caller, vm))),
  });

/** A VM by itself: with what it uses, which lists do not have. */
export async function shownVm(
  { store, directory, settings }: OperationsContext,
  caller: Caller,
  vm: Vm,
): Promise<VmResource> {
  const since = new Date(Date.now() - staleAfter(settings));
  const [names, [row]] = await Promise.all([
    namesFor(directory, caller, [vm]),
    vm.lcm_state === 'RUNNING' ? store.metrics.latest([vm._id], since) : [],
  ]);
  return { ...vmResource(vm, names), monitoring: row ? monitoringResource(row) : null };
}

export const showVm = (context: OperationsContext, caller: Caller, id: number): Promise<VmResource> =>
  objects(context).show(caller, id);

export async function listVms(
  context: OperationsContext,
  caller: Caller,
  query: ListQuery & { state?: VmState; service_id?: number },
): Promise<Page<VmResource>> {
  const { store } = context;
  const page = await store.vms.list(caller, query);
  return { ...page, items: await shown(context, caller, page.items) };
}

/** A VM of a template, PENDING, and the operation that deploys it. */
export async function createVm(
  context: OperationsContext,
  caller: Caller,
  request: CreateVm,
  admission: Admission,
): Promise<OperationResource> {
  const { store, directory } = context;
  const asked = { deed: 'create', ...request };
  const repeated = await repeatedRequest(context, caller, admission, asked);
  if (repeated) return repeated;
  mayCreate(caller, 'vm');
  const { template_id, template: changes } = request;
  const name = request.name === undefined ? undefined : objectName(request.name);
  const found = await store.vmTemplates.find(template_id);
  const template = authorised(caller, 'vm_template', found, 'use', template_id);
  refuseNames(changes ?? {}, '/template');
  refuseUnreadable(changes ?? {}, '/template');
  refuseRaw(caller, changes ?? {}, '/template');
  const id = await store.counters.one('vm');
  const { scheduled, ...contents } = vmContents({ ...template.template, ...changes });
  const created_at = new Date();
  const schedule = scheduleOfNew(scheduled, caller.id, {
    ...{ zone: context.settings.timeZone ?? 'UTC', now: created_at, start: created_at },
  });
  const where = { ...store, users: directory.users };
  const asker = { owner: caller.id, maker: async () => caller };
  const wished = await networksFor(where, contents.template, asker);
  const isHeld = request.hold ?? contents.template.SUBMIT_ON_HOLD === 'YES';
  const plain: Omit<Vm, 'operation'> = {
    _id: id,
    name: name ?? `${template.name}-${id}`,
    uid: caller.id,
    gid: caller.gid,
    permissions: permissionsOfNew(caller),
    state: isHeld ? 'HOLD' : 'PENDING',
    lcm_state: 'LCM_INIT',
    reason: null,
    template_id,
    ...contents,
    service: null,
    history: [],
    deploy_id: null,
    epoch: 0,
    hold: null,
    wanted: null,
    ...(schedule && { schedule }),
    log: [firstLine({ state: isHeld ? 'HOLD' : 'PENDING', lcm_state: 'LCM_INIT', created_at })],
    created_at,
    ended_at: null,
  };
  return untilChosen(async () => {
    const disks = await disksFor(where, contents.template, asker);
    const files = await filesFor(where, contents.template, asker);
    const withDisks = { ...plain, ...(disks && { disks }), ...(files && { files }) };
    const charge = chargeOfVm({ ...contents.capacity, ...hadByNew(wished, disks ?? undefined) });
    const vm = { ...withNics(withDisks, await addressesFor(store.leases, asksOf(plain, wished))), charge };
    const admitting = () =>
      admit(context, caller, admission, {
        kind: 'deployVm',
        resource: { type: 'vm', id },
        name: vm.name,
        owner: vm,
        ...(vm.template_id !== null && { template: vm.template_id }),
        input: isHeld ? { hold: true } : {},
        request: asked,
        charge,
        claim: async (op, transaction) => {
          await store.references.makeFor(vm, transaction);
          await store.vms.insert({ ...vm, operation: op }, transaction);
          return vm;
        },
        refusal: async () => new Problem('operation_in_progress', `VM ${id} could not be made.`),
      });
    return store.holdings.inTurn([vm], admitting);
  });
}

/** Changes its name or user template attributes; its domain keeps its own name. READY=YES opens the ready gate of its service at once. */
export async function updateVm(
  context: RequestsContext,
  caller: Caller,
  id: number,
  { revise, precondition }: Edit<VmEdit>,
): Promise<VmResource> {
  const { edit, shownOne } = objects(context);
  const { store } = context;
  const edited = await edit(caller, id, precondition, async (present, transaction) => {
    const verdict = mayRename({ id, state: vmStateName(present) });
    if (typeof verdict !== 'string') throw problemFor(verdict);
    const { name: wish, user_template } = revise({ name: present.name, user_template: present.user_template }).wish;
    const name = objectName(wish, present.name);
    if (user_template.SCHED_ACTION !== undefined && present.user_template.SCHED_ACTION === undefined) throw notHere(id);
    refuseBeyond(
      measureUserTemplate(user_template, '/user_template'),
      measureUserTemplate(present.user_template, '/user_template'),
    );
    refuseUnreadable(user_template, '/user_template', present.user_template);
    const after = await store.vms.setEdited(id, { name, user_template }, transaction);
    return after && { before: present.user_template, after };
  });
  const { before, after } = edited;
  if (after.service && isReady(after.user_template) && !isReady(before)) await tellOfReport(context, after.service.id);
  const wishes = ['SCHED_REQUIREMENTS', 'SCHED_RANK'];
  if (after.state === 'PENDING' && wishes.some((name) => after.user_template[name] !== before[name]))
    await context.pace('placement', () => wakeWaiting(context));
  return shownOne(caller, after);
}

/** What is written there would never be done. */
const notHere = (id: number): Problem =>
  new Problem('invalid_request', `What is to be done to a VM at its time is in /vms/${id}/schedules.`, {
    findings: [{ pointer: '/user_template/SCHED_ACTION', detail: 'is for VM templates' }],
  });

/** Terminates a VM whatever it is doing; pre-empts its deployment. */
export async function terminateVm(
  context: OperationsContext,
  caller: Caller,
  id: number,
  request: TerminateVm,
  admission: Admission,
): Promise<OperationResource> {
  const { find } = objects(context);
  await find(caller, id, 'manage');
  const asked = { request: { deed: 'terminate', id, ...request }, admission };
  const repeated = await repeatedRequest(context, caller, admission, asked.request);
  return repeated ?? terminateVmAgain(context, caller, id, request, asked);
}

async function shown(context: OperationsContext, caller: Caller, vms: readonly Vm[]): Promise<VmResource[]> {
  const { directory } = context;
  const names = await namesFor(directory, caller, vms);
  return vms.map((vm) => vmResource(vm, names));
}

/** Tells the run that waits for reports, if one does: a VM may report at any time, and as often as it likes. */
async function tellOfReport(context: RequestsContext, service: number): Promise<void> {
  const { store, engine } = context;
  const workflowId = workflowIdOf({ type: 'service', id: service });
  await context.pace(workflowId, async () => {
    if (!(await store.services.waitsForReports(service))) return;
    for (const run of (await store.services.atWorkOn([service])).flatMap(runsAtWork))
      await engine.signal(run, 'vmReported');
  });
}

export async function terminateVmAgain(
  context: OperationsContext,
  caller: Caller,
  id: number,
  { hard }: TerminateVm,
  { request, retryOf, admission }: Asked,
): Promise<OperationResource> {
  const { find } = objects(context);
  const { store } = context;
  const vm = await find(caller, id, 'manage');
  const act: Act = { do: 'terminate', hard };
  await demandOn(store, act, { type: 'vm', vm, service: null });
  // The table has let it pass, so what stands there is softer than this, and gives way.
  const outbid = vm.wanted === null ? [] : [vm.wanted];
  return admit(context, caller, admission, {
    kind: 'terminateVm',
    resource: { type: 'vm', id },
    name: vm.name,
    owner: vm,
    ...(vm.template_id !== null && { template: vm.template_id }),
    ...(retryOf !== undefined && { retryOf }),
    input: { hard },
    request,
    claim: (op, transaction) => store.vms.admitTermination(id, op, outbid, transaction),
    refusal: () => whyLost(store, act, { type: 'vm', id }),
  });
}
