import type { Act } from '../../domain/acts/acts.js';
import type { Caller } from '../../domain/identity/caller.js';
import { Problem, type ProblemCode } from '../../domain/problems.js';
import { planSave } from '../../domain/vms/disk-saves.js';
import { statesOf } from '../../domain/vms/vm-action-states.js';
import type { OperationInputs } from '../../schemas/operations/inputs.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import type { Image, SaveDisk } from '../../schemas/storage/image.js';
import type { Vm } from '../../schemas/vms/vm.js';
import type { Transaction } from '../../store/mongo/transaction.js';
import { demandOn, whyLost } from '../acts/acts.js';
import { authorised } from '../authorise.js';
import type { Admission, OperationsContext } from '../context.js';
import { type Asked, admit, repeatedRequest } from '../operations/admit.js';
import { insertImage, mayMakeImage, newImage, refuseMore } from '../storage/making-images.js';
import { findVm } from './vm-recovery.js';

/** An image of what a disk of a VM is, of the caller: LOCKED, and the operation that copies it. */
export async function saveDisk(
  context: OperationsContext,
  caller: Caller,
  { vm: id, disk }: { vm: number; disk: number },
  wish: SaveDisk,
  admission: Admission,
): Promise<OperationResource> {
  const request = { deed: 'save disk', id, disk, ...wish };
  const act: Act = { do: 'saveDisk', disk };
  const vm = await findVm(context, caller, id, act);
  const repeated = await repeatedRequest(context, caller, admission, request);
  if (repeated) return repeated;
  const { image } = await imageOfDisk(context, caller, vm, { disk }, wish);
  const { snapshot_id: snapshot } = wish;
  const input = { disk, image: image._id, ...(snapshot !== undefined && { snapshot }) };
  return begin(context, caller, vm, input, { request, admission }, (op, transaction) =>
    insertImages(context, caller, [image], { op, transaction }),
  );
}

/** What the image of a disk of a VM will be; refused as it is where somebody asks for that disk alone. `schedule`: what saves it again and again. */
export async function imageOfDisk(
  context: OperationsContext,
  caller: Caller,
  vm: Vm,
  { disk, schedule }: { disk: number; schedule?: number },
  wish: SaveDisk,
): Promise<{ image: Omit<Image, 'operation'> }> {
  const { store } = context;
  const of = vm.disks?.find(({ disk_id }) => disk_id === disk)?.image;
  const from = of && (await store.images.find(of.id));
  const where = { datastore_id: wish.datastore_id ?? from?.datastore_id, type: wish.type ?? from?.type ?? 'DATABLOCK' };
  await mayMakeImage(context, caller, where);
  await demandOn(store, { do: 'saveDisk', disk }, { type: 'vm', vm, service: null });
  const { snapshot_id: snapshot } = wish;
  const plan = planSave(vm, disk, snapshot);
  if ('why' in plan) throw new Problem(plan.code, plan.why);
  const image = await newImage(context, caller, wish, {
    ...where,
    ...{ description: wish.description, persistent: wish.persistent, attributes: from?.attributes ?? {} },
    origin: {
      ...{ vm: vm._id, disk },
      ...(schedule !== undefined && { schedule }),
      ...(snapshot !== undefined && { snapshot }),
    },
    ...{ wish: { size_mb: null }, size_mb: plan.disk.size },
  });
  if (image.ds_mad !== plan.datastore.ds_mad)
    throw new Problem('invalid_request', `Its disk is saved in a datastore of kind ${plan.datastore.ds_mad}.`, {
      findings: [{ pointer: '/datastore_id', detail: `datastore ${image.datastore_id} is of kind ${image.ds_mad}` }],
    });
  return { image };
}

/** `full`: what is said where as many are being made as may be. */
export async function insertImages(
  context: OperationsContext,
  caller: Caller,
  images: readonly Omit<Image, 'operation'>[],
  { op, transaction, full }: { op: string; transaction: Transaction; full?: ProblemCode },
): Promise<true> {
  for (const image of images) {
    await insertImage(context, { ...image, operation: op }, transaction, full);
    await context.store.quotas.charge(owner(image, caller), image.charge, transaction);
  }
  return true;
}

/** What could not be saved is saved again, as the same images. */
export async function saveDiskAgain(
  context: OperationsContext,
  caller: Caller,
  id: number,
  input: OperationInputs['saveDisk'],
  asked: Asked,
): Promise<OperationResource> {
  const { store } = context;
  const act: Act = { do: 'saveDisk', disk: input.disk };
  const vm = await findVm(context, caller, id, act);
  await demandOn(store, act, { type: 'vm', vm, service: null });
  const { also = [], backup, snapshot } = input;
  const all = await store.images.byIds([input, ...also].map(({ image }) => image));
  const left = [input, ...also].filter(({ image }) =>
    all.some(({ _id, state }) => _id === image && (also.length === 0 || state === 'ERROR')),
  );
  const [first, ...others] = left.map(({ disk, image }) => ({ disk, image }));
  if (!first) throw new Problem('wrong_state', `Image ${input.image} is not there any more: save the disk anew.`);
  for (const { disk } of left) {
    const plan = planSave(vm, disk, snapshot);
    if ('why' in plan) throw new Problem(plan.code, plan.why);
  }
  const again = all.filter(({ _id }) => left.some(({ image }) => image === _id));
  for (const image of again) authorised(caller, 'image', image, 'manage', image._id);
  const wish = {
    ...first,
    ...(others.length > 0 && { also: others }),
    ...(backup && { backup }),
    ...(snapshot !== undefined && { snapshot }),
  };
  return begin(context, caller, vm, wish, asked, async (op, transaction) => {
    for (const image of again) {
      await refuseMore(context, image, transaction);
      if ((await store.images.admitAgain(image._id, op, transaction)) === null) return false;
    }
    return true;
  });
}

export function begin(
  context: OperationsContext,
  caller: Caller,
  vm: Vm,
  input: OperationInputs['saveDisk'],
  { retryOf, request, admission }: Asked,
  takeImages: (op: string, transaction: Transaction) => Promise<boolean>,
): Promise<OperationResource> {
  const { store } = context;
  const { _id: id, name, template_id } = vm;
  return admit(context, caller, admission, {
    kind: 'saveDisk',
    ...{ resource: { type: 'vm', id }, name, owner: vm, input, request },
    ...(template_id !== null && { template: template_id }),
    ...(retryOf !== undefined && { retryOf }),
    claim: async (op, transaction) => {
      const its = await store.vms.admitExclusive(id, op, { states: statesOf('disk-saveas') }, transaction);
      return its && (await takeImages(op, transaction)) ? its : null;
    },
    refusal: () => whyLost(store, { do: 'saveDisk', disk: input.disk }, { type: 'vm', id }),
  });
}

const owner = ({ uid, gid }: Pick<Image, 'uid' | 'gid'>, caller: Caller) => ({ uid, gid, uname: caller.name });
