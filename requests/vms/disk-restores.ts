import type { Act } from '../../domain/acts/acts.js';
import type { Caller } from '../../domain/identity/caller.js';
import { Problem } from '../../domain/problems.js';
import { planRestore } from '../../domain/vms/disk-restores.js';
import { statesOf } from '../../domain/vms/vm-action-states.js';
import type { OperationInputs } from '../../schemas/operations/inputs.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import type { RestoreDisk } from '../../schemas/storage/image.js';
import { untilChosen } from '../../store/mongo/choice-lost.js';
import { demandOn, whyLost } from '../acts/acts.js';
import { authorised } from '../authorise.js';
import type { Admission, OperationsContext } from '../context.js';
import { type Asked, admit, repeatedRequest } from '../operations/admit.js';
import { findVm } from './vm-recovery.js';

/** A disk of a VM that is off becomes what an image is; until that is in its place, it is what it was. */
export async function restoreDisk(
  context: OperationsContext,
  caller: Caller,
  { vm: id, disk }: { vm: number; disk: number },
  { image_id: image }: RestoreDisk,
  admission: Admission,
): Promise<OperationResource> {
  const request = { deed: 'restore disk', id, disk, image };
  await findVm(context, caller, id, { do: 'restoreDisk', disk, image });
  const repeated = await repeatedRequest(context, caller, admission, request);
  return repeated ?? restoreDiskAgain(context, caller, id, { disk, image }, { request, admission });
}

export async function restoreDiskAgain(
  context: OperationsContext,
  caller: Caller,
  id: number,
  input: OperationInputs['restoreDisk'],
  { retryOf, request, admission }: Asked,
): Promise<OperationResource> {
  const { store } = context;
  const { disk, image: of } = input;
  const act: Act = { do: 'restoreDisk', disk, image: of };
  return untilChosen(async () => {
    const vm = await findVm(context, caller, id, act);
    const image = authorised(caller, 'image', await store.images.find(of), 'use', of);
    await demandOn(store, act, { type: 'vm', vm, service: null });
    const plan = planRestore(vm, disk, image);
    if ('why' in plan) throw new Problem(plan.code, plan.why);
    const { name, template_id } = vm;
    const { persistent, datastore_id: datastore } = image;
    return admit(context, caller, admission, {
      kind: 'restoreDisk',
      ...{ resource: { type: 'vm', id }, name, owner: vm, input, request },
      ...(template_id !== null && { template: template_id }),
      ...(retryOf !== undefined && { retryOf }),
      claim: async (op, transaction) => {
        const its = await store.vms.admitExclusive(id, op, { states: statesOf('disk-restore') }, transaction);
        // Until it ends the VM uses the image, as if it had a disk of it: nobody removes it, nor writes to it.
        if (its) await store.imageUses.take([{ image: of, persistent, datastore, vms: [id] }], transaction);
        return its;
      },
      refusal: () => whyLost(store, act, { type: 'vm', id }),
    });
  });
}
