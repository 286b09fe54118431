import { Context } from '@temporalio/activity';
import type { KeptImage, OnProgress } from '../../adapters/storage/port.js';
import { Problem, problemOf } from '../../domain/problems.js';
import { judgeUpload, type UploadVerdict, uploadTotal } from '../../domain/storage/uploads.js';
import { grouped } from '../../schemas/common/limits.js';
import { mebi } from '../../schemas/common/mebi.js';
import { imagesOf, type Operation } from '../../schemas/operations/operation.js';
import { type Image, imageTypes } from '../../schemas/storage/image.js';
import { type Begun, begin, type StepInput, supersede } from '../operations/begin.js';
import type { StepPorts } from '../ports.js';
import { claimOf, takenImage } from './image-claim.js';
import { droppedCopies } from './image-copies.js';
import { givenUp, movedNotes } from './moved-notes.js';

/** Which image of an operation that has several; absent: its first. */
type ImageStep = { op: string; image?: number };

/** Short steps of operations on images, on our own database. */
export const imageActivities = ({ store }: Pick<StepPorts, 'store'>) => ({
  /** Claims the operation that makes an image. `sent`: its bytes are sent; absent in histories of before there was that. */
  beginImage: (input: StepInput): Promise<Begun<{ name: string; sent?: boolean }>> =>
    begin(store, input, async ({ _id, resource }) => {
      const image = await store.images.find(resource.id);
      if (image?.operation !== _id || image.wanted !== null) return null;
      return { name: image.name, ...(image.upload && { sent: true }) };
    }),

  /** Claims a deletion, and takes the image from whoever had it. `gone`: it is not there any more. */
  beginImageDeletion: (input: StepInput): Promise<Begun<{ gone: boolean }>> =>
    begin(store, input, async ({ _id, resource: { id } }) => {
      const seen = await store.images.find(id);
      await supersede(store, _id, [seen?.operation ?? null]);
      return { gone: (await store.images.takeOver(id, _id)) === null };
    }),
});

/** Steps that move the bytes of images. Each try has an epoch of its own: what an older one still does counts for nothing. */
export const imageSteps = ({ store, storages, bringIn }: Pick<StepPorts, 'store' | 'storages' | 'bringIn'>) => {
  async function make(image: Image, onProgress: OnProgress, signal: AbortSignal): Promise<KeptImage> {
    const { origin, wish, type } = image;
    const storage = storages.of(image);
    const claim = claimOf(image);
    if ('image' in origin) {
      const from = await store.images.find(origin.image);
      if (!from) throw new Problem('not_found', `There is no image ${origin.image} any more.`);
      return storage.copy(claim, claimOf(from), onProgress, signal);
    }
    if ('vm' in origin) {
      const { vm: id, disk, snapshot } = origin;
      const vm = await store.vms.find(id);
      if (!vm?.datastore || vm.hold?.op !== image.operation)
        throw new Problem('taken', `Somebody else has VM ${id} now.`);
      const { id: datastore, ds_mad } = vm.datastore;
      const from = { vm: id, disk, datastore: { id: datastore, ds_mad }, ...(snapshot !== undefined && { snapshot }) };
      return storage.saveDisk(claim, from, onProgress, signal);
    }
    if ('empty' in origin) {
      const { format, size_mb } = origin.empty;
      return storage.createEmpty(claim, { format, size: size_mb * mebi }, signal);
    }
    const most = (await store.images.room(image)) * mebi;
    const { content } = imageTypes[type];
    const wanted = { content, sha256: wish.sha256, md5: wish.md5, mostBytes: most, mostVirtual: most };
    if ('app' in origin) {
      const from = 'url' in origin ? { url: origin.url } : { object: origin.object };
      return bringIn(storage, claim, { from, ...wanted, mostPublished: most }, onProgress, signal);
    }
    if ('upload' in origin) return storage.keep(claim, wanted, onProgress, signal);
    return bringIn(storage, claim, { from: origin, ...wanted, mostPublished: most }, onProgress, signal);
  }

  return {
    /** Makes the bytes of an image, or goes on with that, and writes down what it is. One that is READY is so already. */
    async fillImage(input: ImageStep): Promise<void> {
      const { op } = input;
      const { operation, id } = await ofOperation(input);
      const image = await store.images.claim(id, op);
      if (!image || image.wanted !== null) throw new Problem('taken', takenImage(id));
      if (image.state !== 'LOCKED') return;
      const notes = movedNotes(store, operation, await bytesBefore(operation, id));
      try {
        const kept = await make(image, notes.progress, Context.current().cancellationSignal);
        if (!(await store.images.made(id, { op, epoch: image.epoch }, kept)))
          throw new Problem('taken', takenImage(id));
      } catch (error) {
        const end = notes.isStuck(error) ? givenUp(error) : error;
        const isUnfit = isOf(unfit, error);
        if (isUnfit || end !== error || isOf(closed, error))
          await settleArrived(image, op, isUnfit).catch((fault: unknown) => {
            // The same comes to the same once the datastore answers; where it does not, what failed is what is told.
            if (!isUnfit || notes.isStuck(fault)) return;
            throw fault;
          });
        throw end;
      } finally {
        await notes.flush();
      }
    },

    /**
     * Whether all of an image has been sent, which is for its datastore to say; then, and when nobody has gone on with it for long, nothing more
     * of it is taken. `said`: how far it is.
     */
    async judgeUpload({ op }: { op: string }): Promise<{ verdict: UploadVerdict; said: string }> {
      const { id } = await ofOperation({ op });
      for (;;) {
        const image = await store.images.find(id);
        const total = image && uploadTotal(image);
        if (image?.operation !== op || image.wanted !== null || !image.upload || total === null)
          throw new Problem('taken', takenImage(id));
        const { upload } = image;
        const { cancellationSignal: signal } = Context.current();
        const storage = storages.of(image);
        const isKept = (await storage.find(claimOf(image), signal)) !== undefined;
        const bytes = isKept ? total : (await storage.staged(claimOf(image), signal)).bytes;
        const verdict = judgeUpload(upload, bytes, total, new Date());
        const said = `${grouped(bytes)} of ${grouped(total)} bytes have been sent`;
        if (verdict === 'waits') await store.images.uploadFound(id, op, bytes);
        // Whoever sent more meanwhile is given his time.
        if (verdict === 'waits' || !upload.open) return { verdict, said };
        if (await store.images.closeUpload(id, op, verdict === 'given_up' ? upload.at : null)) return { verdict, said };
      }
    },

    /** Nothing of an image is left in its datastore. */
    async emptyImage(input: ImageStep): Promise<void> {
      const { op } = input;
      const { id } = await ofOperation(input);
      const image = await store.images.claimToEmpty(id, op);
      if (!image) return;
      const { cancellationSignal: signal } = Context.current();
      await droppedCopies({ store, storages }, id, signal);
      await storages.of(image).remove(claimOf(image), signal);
      await store.images.emptied(id, { op, epoch: image.epoch });
    },
  };

  /** What will not be taken, whoever tries, goes; the rest stays for whoever tries again, and is charged as far as there is room. */
  async function settleArrived({ _id: id, epoch }: Image, op: string, isUnfit: boolean): Promise<void> {
    const { cancellationSignal: signal } = Context.current();
    const image = await store.images.claimAgain(id, { op, epoch });
    if (!image) throw new Problem('taken', takenImage(id));
    const storage = storages.of(image);
    const stays = async (): Promise<boolean | null> => {
      const { bytes } = await storage.staged(claimOf(image), signal);
      return store.images.arrived(id, { op, epoch: image.epoch }, Math.ceil(bytes / mebi));
    };
    if (isUnfit || (await stays()) === false) await storage.remove(claimOf(image), signal);
  }

  async function ofOperation({ op, image }: ImageStep): Promise<{ operation: Operation; id: number }> {
    const operation = await store.operations.find(op);
    const [first, ...others] = operation ? imagesOf(operation) : [];
    if (!operation || first === undefined) throw new Problem('not_found', `There is no operation ${op}.`);
    if (image !== undefined && ![first, ...others].includes(image))
      throw new Problem('not_found', `Operation ${op} is not about image ${image}.`);
    return { operation, id: image ?? first };
  }

  /** Of an operation that makes several, one after the other: what those before this one come to, with which its own bytes are counted. */
  async function bytesBefore(operation: Operation, id: number): Promise<number> {
    const all = imagesOf(operation);
    const before = await store.images.byIds(all.slice(0, all.indexOf(id)));
    return before.reduce((sum, { virtual_size, size_mb }) => sum + (virtual_size ?? size_mb * mebi), 0);
  }
};

/** Of the bytes themselves; and of where they come from, which may be opened again. */
const unfit: ReadonlySet<string> = new Set(['image_refused', 'datastore_full', 'quota_exceeded']);
const closed: ReadonlySet<string> = new Set(['source_refused']);
const isOf = (codes: ReadonlySet<string>, error: unknown): boolean => codes.has(problemOf(error)?.code ?? '');
