import type { ImageClaim } from '../../adapters/storage/port.js';
import type { Caller } from '../../domain/identity/caller.js';
import { workflowIdOf } from '../../domain/operations/names.js';
import { Problem } from '../../domain/problems.js';
import { expiryOf } from '../../domain/storage/uploads.js';
import { sentence } from '../../domain/words.js';
import { grouped } from '../../schemas/common/limits.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import type { Image } from '../../schemas/storage/image.js';
import { authorised } from '../authorise.js';
import type { Admission, OperationsContext } from '../context.js';
import { removeImage } from './images.js';

/** How far an upload is. `expires`: when it is given up if nobody goes on; null: nothing more is to be sent. */
export type UploadState = { offset: number; total: number; expires: Date | null };

/** Bytes that are sent from an offset on, which must be where the last ones ended. */
export type Sending = { offset: number; bytes: AsyncIterable<Uint8Array>; signal: AbortSignal };

type Sent = Image & { upload: NonNullable<Image['upload']> };

/** How much of an image has been sent: what lies in its datastore, whichever process has taken it. */
export async function showUpload(context: OperationsContext, caller: Caller, id: number): Promise<UploadState> {
  return stateOf(context, await managed(context, caller, id));
}

/**
 * Takes more of an image. What has come by then stays, however it ends, and whoever goes on asks how much that is. Of two who send at once, the
 * later one is it, and the other hears `taken`.
 */
export async function appendToUpload(
  context: OperationsContext,
  caller: Caller,
  id: number,
  { offset, bytes, signal }: Sending,
): Promise<UploadState> {
  const { store, storages } = context;
  const image = await managed(context, caller, id);
  if (image.uid !== caller.id)
    throw new Problem('not_authorized', `The bytes of image ${id} are sent by whose it is, and by nobody else.`);
  const before = await stateOf(context, image);
  if (before.offset !== offset)
    throw new Problem(
      'wrong_state',
      `${grouped(before.offset)} bytes of image ${id} have arrived: go on there, not at ${grouped(offset)}.`,
    );
  const { operation: op } = image;
  // Of what is whole nothing is to come.
  if (offset === before.total || op === null) return before;
  const mine = await store.images.claimUpload(id, op, offset);
  if (!mine) throw closed(id);
  const claim: ImageClaim = { ...storedOf(mine), epoch: mine.epoch };
  const notes = notesOf(context, mine, op, before.total);
  try {
    const arrival = { offset, bytes, version: null, most: before.total, total: before.total };
    const staged = await storages.of(mine).append(claim, arrival, ({ done }) => notes.reached(done), signal);
    await notes.end(staged.bytes);
  } catch (error) {
    await notes.end(null).catch(() => undefined);
    throw error;
  }
  return stateOf(context, await managed(context, caller, id));
}

/** Nothing more is sent of it: the image is removed, with whatever there is of it. */
export async function stopUpload(
  context: OperationsContext,
  caller: Caller,
  id: number,
  admission: Admission,
): Promise<OperationResource> {
  await managed(context, caller, id);
  return removeImage(context, caller, id, admission);
}

async function managed({ store }: OperationsContext, caller: Caller, id: number): Promise<Sent> {
  const image = authorised(caller, 'image', await store.images.find(id), 'manage', id);
  const { upload } = image;
  if (!upload) throw new Problem('not_found', `Image ${id} is not one that is sent.`);
  return { ...image, upload };
}

const storedOf = ({ _id: id, datastore_id, ds_mad }: Image) => ({ id, datastore: { id: datastore_id, ds_mad } });

async function stateOf(context: OperationsContext, image: Sent): Promise<UploadState> {
  const { _id: id, name, state, reason, upload, origin, wanted } = image;
  const total = 'upload' in origin ? origin.upload.bytes : 0;
  if (state === 'ERROR')
    throw new Problem(
      'wrong_state',
      `Image ${id} (${name}) is in ERROR: ${sentence(reason ?? 'nobody knows why')} Try its operation again, and go on.`,
    );
  if (state === 'DELETE' || wanted !== null) throw closed(id);
  if (state !== 'LOCKED') return { offset: total, total, expires: null };
  const { bytes } = await context.storages.of(image).staged(storedOf(image), AbortSignal.timeout(patience));
  if (!upload.open) {
    // It was found whole and is being made, or was given up and is being removed.
    if (bytes < total && (await isGone(context, image))) throw closed(id);
    return { offset: total, total, expires: null };
  }
  if (bytes === total) await tell(context, image);
  return { offset: bytes, total, expires: expiryOf(upload) };
}

/** Milliseconds for a datastore to say what is there. */
const patience = 20_000;

const closed = (id: number): Problem =>
  new Problem('upload_expired', `Nothing more is taken of image ${id}: it was given up, cancelled or removed.`);

/** What was kept is there, and what was given up is not. */
const isGone = async ({ storages }: OperationsContext, image: Image): Promise<boolean> =>
  (await storages.of(image).find(storedOf(image), AbortSignal.timeout(patience))) === undefined;

/** Its operation looks whether all is there; what does not reach it is said again by reconciliation. */
async function tell({ store, engine, onDelayed }: OperationsContext, image: Sent): Promise<void> {
  const { _id: id, operation: op, origin } = image;
  if (op === null || !('upload' in origin)) return;
  await store.images.uploadFound(id, op, origin.upload.bytes);
  await engine
    .signal(workflowIdOf({ type: 'image', id }, undefined), 'uploadChanged')
    .catch((error: unknown) => onDelayed(`image ${id} is made when Temporal answers`, error));
}

/** Milliseconds between two notes of how far it is. */
const noted = 1_000;

/** How far it is, for people, and for how long it is waited for. */
function notesOf({ store }: OperationsContext, image: Image, op: string, total: number) {
  let seen = image;
  let at = 0;
  let latest: number | null = null;
  let writing: Promise<unknown> = Promise.resolve();
  const write = async (done: number): Promise<void> => {
    const reached = await store.images.uploadReached(seen, { op, epoch: image.epoch }, done, total);
    if (!reached || !seen.upload) return;
    seen = { ...seen, upload: { ...seen.upload, arrived: done } };
    await store.operations.moved(op, { phase: 'fetch', done, total });
  };
  /** One after the other; what could not be written is written with the next. */
  const inTurn = async (before: Promise<unknown>, done: number): Promise<void> => {
    await before;
    await write(done).catch(() => undefined);
  };
  const begin = (done: number): void => {
    writing = inTurn(writing, done);
  };
  return {
    reached(done: number): void {
      latest = done;
      const now = Date.now();
      if (now - at < noted) return;
      at = now;
      begin(done);
    },
    /** `done`: all that was sent is there; null: what was seen last. */
    async end(done: number | null): Promise<void> {
      const last = done ?? latest;
      if (last !== null) begin(last);
      await writing;
    },
  };
}
