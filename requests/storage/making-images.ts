import type { Caller } from '../../domain/identity/caller.js';
import { objectName } from '../../domain/identity/given-names.js';
import { permissionsOfNew } from '../../domain/identity/permission-bits.js';
import { chargeOfImage } from '../../domain/identity/quotas.js';
import { Problem } from '../../domain/problems.js';
import { limits } from '../../schemas/common/limits.js';
import { kinds } from '../../schemas/kinds.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import { defaultDatastores } from '../../schemas/storage/datastore.js';
import {
  type CloneImage,
  type CreateImage,
  type Image,
  type ImageType,
  imageTypes,
} from '../../schemas/storage/image.js';
import type { Transaction } from '../../store/mongo/transaction.js';
import { demandOn, whyLost } from '../acts/acts.js';
import { authorised, mayCreate } from '../authorise.js';
import type { Admission, OperationsContext } from '../context.js';
import { underFreeName } from '../free-name.js';
import { type Asked, admit, repeatedRequest } from '../operations/admit.js';

/** An image, LOCKED, and the operation that makes its bytes. */
export async function createImage(
  context: OperationsContext,
  caller: Caller,
  request: CreateImage,
  admission: Admission,
): Promise<OperationResource> {
  const asked = { deed: 'create image', ...request };
  const repeated = await repeatedRequest(context, caller, admission, asked);
  if (repeated) return repeated;
  const { type, source, sha256, md5 } = request;
  const isEmpty = 'empty' in source;
  if (isEmpty && imageTypes[type].content === 'file') throw notEmpty(type);
  if (isEmpty && (sha256 ?? md5) !== undefined)
    throw new Problem('invalid_request', 'An empty image has no published bytes.', {
      findings: [{ pointer: sha256 === undefined ? '/md5' : '/sha256', detail: 'is of what is published; nothing is' }],
    });
  const size_mb = isEmpty ? source.empty.size_mb : (request.size_mb ?? null);
  const image = await newImage(context, caller, request, {
    ...{ datastore_id: request.datastore_id, type, description: request.description, persistent: request.persistent },
    ...{ origin: source, wish: { size_mb, ...(sha256 && { sha256 }), ...(md5 && { md5 }) }, size_mb: size_mb ?? 0 },
  });
  return admit(context, caller, admission, {
    kind: 'createImage',
    ...admittedOf(image),
    input: {},
    request: asked,
    claim: (op, transaction) => insert(context, { ...image, operation: op }, transaction),
  });
}

/** Another image that is as this one, of the caller. */
export async function cloneImage(
  context: OperationsContext,
  caller: Caller,
  id: number,
  request: CloneImage,
  admission: Admission,
): Promise<OperationResource> {
  const { store } = context;
  const asked = { deed: 'clone image', id, ...request };
  const repeated = await repeatedRequest(context, caller, admission, asked);
  if (repeated) return repeated;
  const from = authorised(caller, 'image', await store.images.find(id), 'use', id);
  await demandOn(store, { do: 'image', wish: 'clone' }, { type: 'image', image: from });
  const { type, description, persistent, size_mb } = from;
  const datastore_id = request.datastore_id ?? from.datastore_id;
  const image = await newImage(context, caller, request, {
    ...{ datastore_id, type, description, persistent, origin: { image: id }, wish: { size_mb }, size_mb },
  });
  if (image.ds_mad !== from.ds_mad)
    throw new Problem('invalid_request', `Images are cloned between datastores of one kind: ${from.ds_mad}.`, {
      findings: [{ pointer: '/datastore_id', detail: `datastore ${datastore_id} is of kind ${image.ds_mad}` }],
    });
  return admit(context, caller, admission, {
    kind: 'cloneImage',
    ...admittedOf(image),
    input: { of: id },
    request: asked,
    claim: async (op, transaction) => {
      if (!(await store.images.beginClone(id, image._id, transaction))) return null;
      return insert(context, { ...image, operation: op }, transaction);
    },
    refusal: () => whyLost(store, { do: 'image', wish: 'clone' }, { type: 'image', id }),
  });
}

/** What could not be made is made again, from where it got to. */
export async function makeImageAgain(
  context: OperationsContext,
  caller: Caller,
  id: number,
  { request, retryOf, admission }: Asked,
): Promise<OperationResource> {
  const { store } = context;
  const image = authorised(caller, 'image', await store.images.find(id), 'manage', id);
  const act = { do: 'image', wish: 'make' } as const;
  await demandOn(store, act, { type: 'image', image });
  const { origin } = image;
  const its = {
    resource: { type: 'image', id } as const,
    ...{ name: image.name, owner: image, request, ...(retryOf !== undefined && { retryOf }) },
    refusal: () => whyLost(store, act, { type: 'image', id }),
  };
  const again = async (op: string, transaction: Transaction) => {
    await refuseMore(context, image, transaction);
    return store.images.admitAgain(id, op, transaction);
  };
  if (!('image' in origin))
    return admit(context, caller, admission, {
      ...{ kind: 'createImage', ...its, input: {} },
      claim: again,
    });
  authorised(caller, 'image', await store.images.find(origin.image), 'use', origin.image);
  return admit(context, caller, admission, {
    ...{ kind: 'cloneImage', ...its, input: { of: origin.image } },
    claim: async (op, transaction) =>
      (await store.images.beginClone(origin.image, id, transaction)) ? again(op, transaction) : null,
  });
}

type Contents = Pick<Image, 'type' | 'description' | 'persistent' | 'origin' | 'wish' | 'size_mb'> & {
  datastore_id: number | undefined;
};

/** Refuses what cannot be where it is to be. */
async function newImage(
  { store }: OperationsContext,
  caller: Caller,
  request: { name: string },
  { datastore_id, ...contents }: Contents,
): Promise<Omit<Image, 'operation'>> {
  mayCreate(caller, 'image');
  const name = objectName(request.name);
  const { datastore: type } = imageTypes[contents.type];
  const id = datastore_id ?? defaultDatastores.find((one) => one.type === type)?._id ?? 0;
  const datastore = authorised(caller, 'datastore', await store.datastores.find(id), 'use', id);
  const called = `Datastore ${id} (${datastore.name})`;
  if (datastore.type !== type)
    throw new Problem(
      'invalid_request',
      `${called} is for ${datastore.type === 'system' ? 'VMs' : `${datastore.type}s`}.`,
      {
        findings: [
          {
            pointer: '/datastore_id',
            detail: `${contents.type} is kept in datastores of type ${type}, not ${datastore.type}`,
          },
        ],
      },
    );
  if (datastore.state === 'DISABLED')
    throw new Problem('wrong_state', `${called} is disabled: it takes nothing new. Enable it first.`);
  return {
    _id: await store.counters.one(kinds.image.ids.pool),
    ...{ name, uid: caller.id, gid: caller.gid, permissions: permissionsOfNew(caller), ...contents },
    ...{ datastore_id: id, ds_mad: datastore.ds_mad, state: 'LOCKED', reason: null },
    ...{ format: null, virtual_size: null, bytes: null, published: null },
    ...{ vms: [], clones: [], wanted: null, epoch: 0, charge: chargeOfImage(contents.size_mb) },
    created_at: new Date(),
  };
}

const admittedOf = (image: Omit<Image, 'operation'>) => ({
  resource: { type: 'image' as const, id: image._id },
  ...{ name: image.name, owner: image, charge: image.charge },
  refusal: async () => new Problem('operation_in_progress', `Image ${image._id} could not be made.`),
});

async function insert(context: OperationsContext, image: Image, transaction: Transaction): Promise<Image> {
  const { store } = context;
  await store.references.makeFor(image, transaction);
  const { state, type, name } = await store.images.demandRoomIn(image, transaction);
  if (state === 'DISABLED' || type !== imageTypes[image.type].datastore)
    throw new Problem('wrong_state', `Datastore ${image.datastore_id} (${name}) takes it no more.`);
  await refuseMore(context, image, transaction);
  await underFreeName(taken(image.name), () => store.images.insert(image, transaction));
  return image;
}

/** Nobody has so many images in the making that others have no places for theirs. */
async function refuseMore(
  { store }: OperationsContext,
  { uid }: Pick<Image, 'uid'>,
  transaction: Transaction,
): Promise<void> {
  const { most } = limits.imagesBeingMade;
  if ((await store.images.beingMade(uid, transaction)) >= most)
    throw new Problem(
      'wrong_state',
      `${most} images of one user are being made, as many as possible at a time. Wait for one of them, or cancel one.`,
    );
}

export const taken = (name: string): string => `You have an image "${name}" already.`;

const notEmpty = (type: ImageType): Problem =>
  new Problem('invalid_request', `${type} is a file: give a path or an address.`, {
    findings: [{ pointer: '/source', detail: 'empty is of disks' }],
  });
