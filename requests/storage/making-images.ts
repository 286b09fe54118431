import { keptAttributes } from '../../domain/attribute-names.js';
import type { Caller } from '../../domain/identity/caller.js';
import { objectName } from '../../domain/identity/given-names.js';
import { permissionsOfNew } from '../../domain/identity/permission-bits.js';
import { chargeOfImage } from '../../domain/identity/quotas.js';
import { Problem, type ProblemCode } from '../../domain/problems.js';
import { whyWhole } from '../../domain/storage/image-snapshots.js';
import { megabytesOf } from '../../domain/storage/image-states.js';
import { grouped, limits } from '../../schemas/common/limits.js';
import { mebi } from '../../schemas/common/mebi.js';
import { kinds } from '../../schemas/kinds.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import { type Datastore, type DatastoreType, defaultDatastores } from '../../schemas/storage/datastore.js';
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
import { nameFree } from '../free-name.js';
import { type Asked, admit, repeatedRequest, type Wish } from '../operations/admit.js';

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
  if ('upload' in source && size_mb !== null && source.upload.bytes > mostSentOf(size_mb))
    throw new Problem('invalid_request', 'More is to be sent than the image may come to.', {
      findings: [
        {
          pointer: '/size_mb',
          detail: `is ${size_mb} MB, and ${grouped(source.upload.bytes)} bytes are to be sent, which is ${megabytesOf(source.upload.bytes)} MB`,
        },
      ],
    });
  const upload = 'upload' in source ? { open: true, arrived: 0, at: new Date() } : undefined;
  // What is sent is charged as long as it lies there, whatever it comes to when it is unpacked.
  const reserved = Math.max(size_mb ?? 0, 'upload' in source ? megabytesOf(source.upload.bytes) : 0);
  const image = await newImage(context, caller, request, {
    ...{ datastore_id: request.datastore_id, type, description: request.description, persistent: request.persistent },
    attributes: keptAttributes(request.attributes ?? {}),
    ...{ origin: source, wish: { size_mb, ...(sha256 && { sha256 }), ...(md5 && { md5 }) }, size_mb: reserved },
    ...(upload && { upload }),
  });
  return admit(context, caller, admission, {
    kind: 'createImage',
    ...admittedOf(image),
    input: {},
    request: asked,
    claim: (op, transaction) => insertImage(context, { ...image, operation: op }, transaction),
  });
}

/** Bytes that can be sent of so many MB: what is packed may be larger than what is in it, by what packs it. */
const mostSentOf = (size_mb: number): number => Math.ceil(size_mb * mebi * 1.01) + mebi;

/** Another image that is as this one, of the caller. */
export async function cloneImage(
  context: OperationsContext,
  caller: Caller,
  id: number,
  request: CloneImage,
  admission: Admission,
): Promise<OperationResource> {
  const asked = { deed: 'clone image', id, ...request };
  const repeated = await repeatedRequest(context, caller, admission, asked);
  return repeated ?? admit(context, caller, admission, await imageCloning(context, caller, id, request, asked));
}

/** The cloning of an image, whose resource is the clone; it is refused where it may not be. */
export async function imageCloning(
  context: OperationsContext,
  caller: Caller,
  id: number,
  request: CloneImage,
  asked: unknown,
): Promise<Wish<'cloneImage'>> {
  const { store } = context;
  const from = authorised(caller, 'image', await store.images.find(id), 'use', id);
  await demandOn(store, { do: 'image', wish: 'clone' }, { type: 'image', image: from });
  const whole = whyWhole(from, 'is cloned');
  if (whole !== null) throw new Problem('wrong_state', whole);
  const { type, description, persistent, size_mb, attributes = {} } = from;
  const datastore_id = request.datastore_id ?? from.datastore_id;
  const image = await newImage(context, caller, request, {
    ...{ datastore_id, type, description, persistent, attributes, origin: { image: id }, wish: { size_mb }, size_mb },
  });
  if (image.ds_mad !== from.ds_mad)
    throw new Problem('invalid_request', `Images are cloned between datastores of one kind: ${from.ds_mad}.`, {
      findings: [{ pointer: '/datastore_id', detail: `datastore ${datastore_id} is of kind ${image.ds_mad}` }],
    });
  return {
    kind: 'cloneImage',
    ...admittedOf(image),
    input: { of: id },
    request: asked,
    claim: async (op, transaction) => {
      if (!(await store.images.beginClone(id, image._id, transaction))) return null;
      return insertImage(context, { ...image, operation: op }, transaction);
    },
    refusal: () => whyLost(store, { do: 'image', wish: 'clone' }, { type: 'image', id }),
  };
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
  if ('vm' in origin)
    throw new Problem(
      'wrong_state',
      `Disk ${origin.disk} of VM ${origin.vm} is saved by an operation on that VM: try that again.`,
    );
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

type Contents = Pick<
  Image,
  'type' | 'description' | 'persistent' | 'attributes' | 'origin' | 'wish' | 'size_mb' | 'upload'
> & {
  datastore_id: number | undefined;
};

/** What it takes to make an image of a type, and where it will be: CREATE on IMAGE, and USE on that. */
export async function mayMakeImage(
  { store }: Pick<OperationsContext, 'store'>,
  caller: Caller,
  { type, datastore_id }: { type: ImageType; datastore_id: number | undefined },
): Promise<Datastore> {
  mayCreate(caller, 'image');
  const usual = defaultDatastores.find((one) => one.type === imageTypes[type].datastore);
  const id = datastore_id ?? usual?._id ?? 0;
  return authorised(caller, 'datastore', await store.datastores.find(id), 'use', id);
}

/** What datastores of a type are for. */
const keptIn: Readonly<Record<DatastoreType, string>> = {
  system: kinds.vm.several,
  image: kinds.image.several,
  file: 'files',
};

/** Refuses what cannot be where it is to be. */
export async function newImage(
  { store }: OperationsContext,
  caller: Caller,
  request: { name: string },
  { datastore_id, ...contents }: Contents,
): Promise<Omit<Image, 'operation'>> {
  const name = objectName(request.name);
  const { datastore: type } = imageTypes[contents.type];
  const datastore = await mayMakeImage({ store }, caller, { type: contents.type, datastore_id });
  const { _id: id } = datastore;
  const called = `Datastore ${id} (${datastore.name})`;
  if (datastore.type !== type)
    throw new Problem('invalid_request', `${called} is for ${keptIn[datastore.type]}.`, {
      findings: [
        {
          pointer: '/datastore_id',
          detail: `${contents.type} is kept in datastores of type ${type}, not ${datastore.type}`,
        },
      ],
    });
  if (datastore.state === 'DISABLED')
    throw new Problem('wrong_state', `${called} is disabled: it takes nothing new. Enable it first.`);
  return {
    _id: await store.counters.one(kinds.image.ids.pool),
    ...{ name, uid: caller.id, gid: caller.gid, permissions: permissionsOfNew(caller), ...contents },
    ...{ datastore_id: id, ds_mad: datastore.ds_mad, state: 'LOCKED', reason: null },
    ...{ format: null, virtual_size: null, bytes: null, published: null },
    ...{ vms: [], clones: [], wanted: null, epoch: 0, charge: chargeOfImage({ datastore_id: id, ...contents }) },
    created_at: new Date(),
  };
}

const admittedOf = (image: Omit<Image, 'operation'>) => ({
  resource: { type: 'image' as const, id: image._id },
  ...{ name: image.name, owner: image, charge: image.charge },
  refusal: async () => new Problem('operation_in_progress', `Image ${image._id} could not be made.`),
});

/** `full`: the code of the refusal where as many are being made as may be. */
export async function insertImage(
  context: OperationsContext,
  image: Image,
  transaction: Transaction,
  full?: ProblemCode,
): Promise<Image> {
  const { store } = context;
  await store.references.makeFor(image, transaction);
  const { state, type, name } = await store.images.demandRoomIn(image, transaction);
  if (state === 'DISABLED' || type !== imageTypes[image.type].datastore)
    throw new Problem('wrong_state', `Datastore ${image.datastore_id} (${name}) takes it no more.`);
  await refuseMore(context, image, transaction, full);
  await nameFree('image', image.name, () => store.images.insert(image, transaction));
  return image;
}

/** Nobody has so many images in the making that others have no places for theirs. */
export async function refuseMore(
  { store }: OperationsContext,
  { uid }: Pick<Image, 'uid'>,
  transaction: Transaction,
  full: ProblemCode = 'wrong_state',
): Promise<void> {
  const { most } = limits.imagesBeingMade;
  if ((await store.images.beingMade(uid, transaction)) >= most)
    throw new Problem(
      full,
      `${most} images of one user are being made, as many as possible at a time. Wait for one of them, or cancel one.`,
    );
}

const notEmpty = (type: ImageType): Problem =>
  new Problem('invalid_request', `${type} is a file: give a path or an address.`, {
    findings: [{ pointer: '/source', detail: 'empty is of disks' }],
  });
