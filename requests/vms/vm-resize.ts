import { isDeepStrictEqual } from 'node:util';
import { measureVmTemplate } from '../../domain/bounds.js';
import type { Caller } from '../../domain/identity/caller.js';
import { Problem } from '../../domain/problems.js';
import { bootFindings } from '../../domain/vms/boot-order.js';
import { isAttributes } from '../../domain/vms/template-values.js';
import { configured } from '../../domain/vms/vm-configuration.js';
import { isSmaller, resized } from '../../domain/vms/vm-resize.js';
import type { ResizeVm, Vm, VmResource } from '../../schemas/vms/vm.js';
import type { ConfigureVm } from '../../schemas/vms/vm-configuration.js';
import { filesFor } from '../../store/vms/file-images.js';
import { demandOn } from '../acts/acts.js';
import type { OperationsContext, RequestsContext } from '../context.js';
import { wakeWaiting } from '../hosts/wake-waiting.js';
import { refuseNames } from '../identity/refuse-names.js';
import type { Precondition } from '../precondition.js';
import { refuseBeyond } from '../refuse-beyond.js';
import { refuseUnreadable } from './refuse-expressions.js';
import { refuseRaw } from './refuse-raw.js';
import { objects } from './vms.js';

// What a VM is to have, and to be made of, from its next start on.

/**
 * Gives a VM that does not run another size. What it takes of its host and of quotas changes by the difference in the same
 * transaction, or nothing does: nobody overcommits a host, whatever he may do elsewhere.
 */
export async function resizeVm(
  context: RequestsContext,
  caller: Caller,
  id: number,
  wish: ResizeVm,
  precondition: Precondition,
): Promise<VmResource> {
  const { edit, shownOne } = objects(context);
  const { store } = context;
  const { before, after } = await edit(caller, id, precondition, async (present, transaction) => {
    await demandOn(store, { do: 'resize' }, { type: 'vm', vm: present, service: null });
    if (present.stored)
      throw new Problem(
        'wrong_state',
        `VM ${id} goes on from what it had in memory, which is of its present size: resize it once it is switched off.`,
      );
    const size = resized(present, wish);
    const names = present.uid === caller.id ? { uname: caller.name } : {};
    const after = await store.vmEdits.resize(present, size, names, transaction);
    return after && { before: present, after };
  });
  // It may fit now where it did not, or make room for others.
  const isFreed =
    after.state === 'PENDING' || (after.state === 'POWEROFF' && isSmaller(after.capacity, before.capacity));
  if (isFreed) await context.pace('placement', () => wakeWaiting(context));
  return shownOne(caller, after);
}

/** What it is made of when it starts next, but for its size and its devices. */
export async function configureVm(
  context: OperationsContext,
  caller: Caller,
  id: number,
  { template: wish, append }: ConfigureVm,
  precondition: Precondition,
): Promise<VmResource> {
  const { edit, shownOne } = objects(context);
  const { store } = context;
  refuseNames(wish.CONTEXT ?? {}, '/template/CONTEXT');
  const { after } = await edit(
    caller,
    id,
    precondition,
    async (present, transaction): Promise<{ after: Vm } | null> => {
      await demandOn(store, { do: 'configure' }, { type: 'vm', vm: present, service: null });
      const template = configured(present.template, wish, append);
      if (isDeepStrictEqual(template, present.template)) return { after: present };
      refuseRaw(caller, template, '/template', present.template);
      refuseBeyond(measureVmTemplate(template, '/template'), measureVmTemplate(present.template, '/template'));
      refuseUnreadable({ ...present.user_template, ...template }, '/template', {
        ...present.user_template,
        ...present.template,
      });
      refuseBoot(present, template);
      const files = await filesAfter(context, caller, present, template);
      const after = await store.vmEdits.configure(id, { template, ...(files && { files }) }, transaction);
      return after && { after };
    },
  );
  return shownOne(caller, after);
}

/** It boots from what it has now, whatever it was made with. */
function refuseBoot({ template: before, disks = [], nics = [] }: Vm, { OS }: Vm['template']): void {
  if (isDeepStrictEqual(OS, before.OS)) return;
  const there = { disk: disks.map(({ disk_id }) => disk_id), nic: nics.map(({ nic_id }) => nic_id) };
  const [detail] = bootFindings(OS, there);
  if (detail !== undefined)
    throw new Problem('invalid_request', `No machine can be made so: ${detail}.`, {
      findings: [{ pointer: '/template/OS/BOOT', detail }],
    });
}

/** Its files, where others are named for its guest than before; what it is booted by is not changed so. undefined: as they are. */
async function filesAfter(
  { store, directory }: OperationsContext,
  caller: Caller,
  { uid: owner, template: before, files: had }: Vm,
  { CONTEXT }: Vm['template'],
): Promise<Vm['files']> {
  const named = (context: unknown): unknown => (isAttributes(context) ? context.FILES_DS : undefined);
  if (had !== undefined && isDeepStrictEqual(named(CONTEXT), named(before.CONTEXT))) return;
  const where = { images: store.images, users: directory.users };
  const told = (await filesFor(where, { CONTEXT }, { owner, maker: async () => caller })) ?? [];
  const others = (had ?? []).filter(({ use }) => use !== 'CONTEXT');
  return had === undefined && told.length === 0 ? undefined : [...told, ...others];
}
