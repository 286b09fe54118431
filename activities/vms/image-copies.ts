import { setTimeout as wait } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import { bringCopy } from '../../adapters/storage/bring-copy.js';
import type { KeptImage } from '../../adapters/storage/port.js';
import { Problem, problemOf, problems } from '../../domain/problems.js';
import { bringingText } from '../../domain/storage/image-copies.js';
import { stuckAfter } from '../../domain/storage/image-progress.js';
import { megabytesOf } from '../../domain/storage/image-states.js';
import type { Image } from '../../schemas/storage/image.js';
import type { CopyHolder, ImageCopy } from '../../schemas/storage/image-copy.js';
import type { CopyWish } from '../../store/vms/copy-claims.js';
import type { StepPorts } from '../ports.js';
import { claimOf } from '../storage/image-claim.js';
import { copyClaimOf, droppedCopy, holderHere } from '../storage/image-copies.js';
import { copyNotes } from './copy-notes.js';
import { neededCopies, type Unbrought } from './needed-copies.js';
import type { VmBatch } from './vms.js';

/** Milliseconds between two looks at what somebody else brings. */
const look = 500;

const overtaken = (): Problem => new Problem('taken', 'Somebody else brings the image by now.');

/** Steps that bring images to where disks of VMs are made. */
export const copyingSteps = ({ store, storages }: Pick<StepPorts, 'store' | 'storages'>) => {
  type Bringing = { op: string; wish: CopyWish; holder: CopyHolder; signal: AbortSignal };

  return {
    /**
     * What VMs of an operation need of images that lie elsewhere is in their datastores, whoever has brought it. Resolves with what cannot be brought, and why.
     */
    async bringImages({ op, vms }: VmBatch): Promise<{ unbrought: Unbrought[] }> {
      const { cancellationSignal: signal } = Context.current();
      const held = (await store.vms.byIds(vms)).filter(
        ({ hold, wanted }) => hold?.op === op && (wanted === null || wanted === op),
      );
      const unbrought: Unbrought[] = [];
      for (const wish of await neededCopies({ store }, held)) {
        const problem = await brought({ op, wish, holder: holderHere(), signal });
        if (problem === null) continue;
        const { image, datastore_id: datastore } = wish;
        unbrought.push({ image, datastore, code: problem.code, detail: problem.message });
      }
      return { unbrought };
    },
  };

  /** Until it is there; else why it never will be. One that somebody else brings is waited for. */
  async function brought({ op, wish, holder, signal }: Bringing): Promise<Problem | null> {
    let told = '';
    for (;;) {
      signal.throwIfAborted();
      const taken = await store.copyClaims.take(wish, holder).catch((error: unknown) => {
        const problem = problemOf(error);
        if (!problem || problems[problem.code].retryable) throw error;
        return problem;
      });
      if (taken instanceof Problem) return taken;
      if (taken.do === 'use' || taken.do === 'lost') return null;
      if (taken.do === 'wait') {
        const text = `waits: ${bringingText(taken.copy)}`;
        if (text !== told) await store.vms.setReason(wish.vms, op, text);
        told = text;
        await wait(look, undefined, { signal }).catch(() => {});
        continue;
      }
      const problem = await bring({ op, wish, holder, signal }, taken.copy, taken.image);
      if (problem?.code !== 'taken') return problem;
    }
  }

  /** null: it is there. `taken`: it is to be looked who has it now. */
  async function bring(bringing: Bringing, copy: ImageCopy, image: Image): Promise<Problem | null> {
    const { signal, holder } = bringing;
    try {
      const kept = await move(bringing, copy, image);
      return (await store.imageCopies.ready(copy, megabytesOf(kept.bytes))) ? null : overtaken();
    } catch (error) {
      const problem = problemOf(error);
      const now = await store.imageCopies.find(copy);
      const isMine = now?.epoch === copy.epoch;
      if (problem?.code === 'taken' && !isMine) return problem;
      if (!signal.aborted && problem && problem.code !== 'taken' && !problems[problem.code].retryable) {
        // What will not be taken, whoever tries, goes. Where it cannot, whoever looks for what is idle finds it.
        await droppedCopy({ store, storages }, copy, signal, { holder, isUnfit: true }).catch(() => false);
        return problem;
      }
      // What is there stays for who goes on, and nobody need wait.
      if (isMine) await store.imageCopies.letGo(copy);
      signal.throwIfAborted();
      if (problem && isMine && Date.now() - now.moved.at.getTime() > stuckAfter)
        return new Problem(problem.code, `${problem.message} (for ${stuckAfter / 60_000} min)`);
      // Nobody else has it, and it was moved away all the same: by one that is late, and is over by now.
      throw problem?.code === 'taken' ? new Problem('backend_unavailable', problem.message, { cause: error }) : error;
    }
  }

  /** The bytes of an image come, as long as nobody else is at it. */
  async function move({ op, wish, signal }: Bringing, copy: ImageCopy, image: Image): Promise<KeptImage> {
    const lost = new AbortController();
    const until = AbortSignal.any([signal, lost.signal]);
    const notes = copyNotes(store, { op, wish }, copy, () => lost.abort(overtaken()));
    const [source, target] = [storages.of(image), storages.of(copy)];
    const claim = copyClaimOf(copy);
    try {
      if (copy.clear) {
        await target.remove(claim, until);
        await notes.cleared();
      }
      const { reached, progress } = notes;
      const wanted = { from: claimOf(image), version: `${copy.of}`, summed: copy.summed, reached };
      return await bringCopy({ source, target }, claim, wanted, progress, until);
    } catch (error) {
      throw lost.signal.aborted && !signal.aborted ? overtaken() : error;
    } finally {
      await notes.end();
    }
  }
};
