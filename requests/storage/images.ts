import type { ImageWish } from '../../domain/acts/image-acts.js';
import { lockedText } from '../../domain/acts/image-acts.js';
import type { Caller } from '../../domain/identity/caller.js';
import { objectName } from '../../domain/identity/given-names.js';
import { operationAtWork } from '../../domain/operations/at-work.js';
import { Problem } from '../../domain/problems.js';
import { whyWhole } from '../../domain/storage/image-snapshots.js';
import { sourceText } from '../../domain/storage/image-states.js';
import { uploadOf } from '../../domain/storage/uploads.js';
import type { Page } from '../../schemas/common/common.js';
import type { ListQuery } from '../../schemas/common/list.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import {
  type Image,
  type ImageEdit,
  type ImageResource,
  type ImageType,
  imageTypes,
} from '../../schemas/storage/image.js';
import type { ImageCopy, ImageCopyShown } from '../../schemas/storage/image-copy.js';
import { demandOn, whyLost } from '../acts/acts.js';
import { authorised } from '../authorise.js';
import type { Admission, OperationsContext } from '../context.js';
import type { Edit } from '../edit.js';
import { nameFree } from '../free-name.js';
import { objectsOf } from '../managed.js';
import { type Asked, admit, repeatedRequest, type Wish } from '../operations/admit.js';
import { ownershipOf } from '../ownership-of.js';
import { iso, type Names, namesFor, ownership } from '../resources.js';

/** How images are looked at and edited. */
const objects = (context: OperationsContext) =>
  objectsOf(context, 'image', {
    find: context.store.images.find,
    shown: (caller, images) => shown(context, caller, images),
  });

/** Whose an image is. */
export const imageOwnership = (context: OperationsContext) =>
  ownershipOf(context, 'image', {
    change: context.store.ownership.changeOf('image'),
    refuse: refuseLocked,
    shown: objects(context).shownOne,
  });

export const showImage = (context: OperationsContext, caller: Caller, id: number): Promise<ImageResource> =>
  objects(context).show(caller, id);

export async function listImages(
  context: OperationsContext,
  caller: Caller,
  query: ListQuery,
): Promise<Page<ImageResource>> {
  const page = await context.store.images.list(caller, query);
  return { ...page, items: await shown(context, caller, page.items) };
}

/** Changes its name, its description, and where nothing uses it what it is for. */
export async function updateImage(
  context: OperationsContext,
  caller: Caller,
  id: number,
  { revise, precondition }: Edit<ImageEdit>,
): Promise<ImageResource> {
  const { store } = context;
  const { edit, shownOne } = objects(context);
  const after = await edit(caller, id, precondition, async (image, transaction) => {
    const before = editable(image);
    const { wish, named } = revise(before);
    if ([...named].some((name) => name !== 'locked')) refuseLocked(image);
    const demand = async (what: ImageWish) => demandOn(store, { do: 'image', wish: what }, { type: 'image', image });
    const whole = before.persistent && !wish.persistent ? whyWhole(image, 'is not persistent') : null;
    if (whole !== null) throw new Problem('wrong_state', whole);
    if (wish.type !== before.type || wish.persistent !== before.persistent) await demand('retype');
    if (imageTypes[wish.type].content !== imageTypes[before.type].content) throw notOfType(wish.type, before.type);
    const becomes = wish.state === 'enabled' ? 'enable' : 'disable';
    // To enable one that is being made, or has failed, is refused by the table; not to speak of it is not.
    if (named.has('state')) await demand(becomes);
    const state = named.has('state') && wish.state !== before.state ? stateOf[wish.state] : image.state;
    const name = objectName(wish.name, image.name);
    const { description, type, persistent, attributes } = wish;
    const lock = wish.locked ? (image.lock ?? { uid: caller.id, at: new Date() }) : null;
    return nameFree('image', name, () =>
      store.images.change(id, { name, description, type, persistent, state, attributes, lock }, image, transaction),
    );
  });
  return shownOne(caller, after);
}

/** Removes it, and what there is of it in its datastore; what is at work on it gives way. */
export async function removeImage(
  context: OperationsContext,
  caller: Caller,
  id: number,
  admission: Admission,
): Promise<OperationResource> {
  authorised(caller, 'image', await context.store.images.find(id), 'manage', id);
  const request = { deed: 'delete image', id };
  const repeated = await repeatedRequest(context, caller, admission, request);
  return repeated ?? removeImageAgain(context, caller, id, { request, admission });
}

export async function removeImageAgain(
  context: OperationsContext,
  caller: Caller,
  id: number,
  { request, retryOf, admission }: Asked,
): Promise<OperationResource> {
  return admit(context, caller, admission, await imageRemoval(context, caller, id, { request, retryOf }));
}

/** The removal of an image, which is refused where it may not go. */
export async function imageRemoval(
  { store }: Pick<OperationsContext, 'store'>,
  caller: Caller,
  id: number,
  { request, retryOf }: { request: unknown; retryOf?: string | undefined },
): Promise<Wish<'deleteImage'>> {
  const image = authorised(caller, 'image', await store.images.find(id), 'manage', id);
  const act = { do: 'image', wish: 'remove' } as const;
  await demandOn(store, act, { type: 'image', image });
  return {
    kind: 'deleteImage',
    resource: { type: 'image', id },
    ...{ name: image.name, owner: image, input: {}, request, ...(retryOf !== undefined && { retryOf }) },
    claim: (op, transaction) => store.images.admitDeletion(id, op, transaction),
    refusal: () => whyLost(store, act, { type: 'image', id }),
  };
}

/** It is unlocked by itself, and what else is to change is asked for then. */
function refuseLocked({ _id: id, name, lock }: Image): void {
  if (lock) throw new Problem('wrong_state', lockedText({ id, name }));
}

const notOfType = (type: ImageType, before: ImageType): Problem =>
  new Problem('invalid_request', 'A disk does not become a file, nor a file a disk.', {
    findings: [{ pointer: '/type', detail: `${type} is kept otherwise than ${before}` }],
  });

const stateOf = { enabled: 'READY', disabled: 'DISABLED' } as const;

/** What can be edited of an image, as it is. */
const editable = ({ name, description, type, persistent, state, attributes = {}, lock }: Image): ImageEdit => ({
  ...{ name, description, type, persistent, attributes, locked: lock != null },
  state: state === 'DISABLED' ? 'disabled' : 'enabled',
});

async function shown(
  { store, directory }: OperationsContext,
  caller: Caller,
  images: readonly Image[],
): Promise<ImageResource[]> {
  const names = await namesFor(directory, caller, images);
  const copies = await store.imageCopies.ofImages(images.map(({ _id }) => _id));
  return images.map((image) =>
    imageResource(
      image,
      names,
      copies.filter((copy) => copy.image === image._id),
    ),
  );
}

function imageResource(image: Image, names: Names, copies: readonly ImageCopy[]): ImageResource {
  const { _id: id, name, description, type, datastore_id, persistent, state, reason, size_mb } = image;
  const { format, virtual_size, bytes, published, vms, clones, apps = [], attributes = {}, lock } = image;
  return {
    ...{ id, name, ...ownership(image), ...names(image) },
    ...{ description, type, datastore_id, persistent, state, reason, source: sourceText(image), size_mb },
    ...{ attributes, lock: lock ? { uid: lock.uid, at: iso(lock.at) } : null },
    ...{ format, virtual_size, bytes, published, vms, clones, apps, operation: operationAtWork(image) },
    copies: copies.map(copyShown),
    upload: uploadShown(image),
    snapshots: (image.snapshots?.snapshots ?? []).map(({ taken_at, ...one }) => ({
      ...{ ...one, taken_at: iso(taken_at), current: image.snapshots?.current === one.snapshot_id },
    })),
    created_at: iso(image.created_at),
  };
}

const copyShown = ({ datastore_id, state, size_mb, moved, used_at }: ImageCopy): ImageCopyShown => ({
  ...{ datastore_id, state, size_mb, used_at: iso(used_at) },
  moved: { done: state === 'READY' ? moved.total : moved.done, total: moved.total },
});

function uploadShown(image: Image): ImageResource['upload'] {
  const upload = uploadOf(image);
  return upload && { bytes: upload.bytes, arrived: upload.arrived, expires_at: iso(upload.expires) };
}
