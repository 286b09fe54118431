import { Context } from '@temporalio/activity';
import type { CopyWish as Copying } from '../../adapters/storage/bring-copy.js';
import type { OnProgress } from '../../adapters/storage/port.js';
import { bringingText } from '../../domain/storage/image-copies.js';
import type { ImageCopy } from '../../schemas/storage/image-copy.js';
import type { CopyWish } from '../../store/vms/copy-claims.js';
import type { StepPorts } from '../ports.js';

/** Milliseconds between two notes of how far a copy is, and between signs of life of who has nothing to note. */
const noted = 1_000;
const beat = 3_000;

export type CopyNotes = {
  progress: OnProgress;
  reached: Copying['reached'];
  /** Nothing of before lies there any more. */
  cleared: () => Promise<void>;
  end: () => Promise<void>;
};

/**
 * How far a copy is, for whoever waits for it, for people, and for who goes on with it; and signs of life. `lost`: called when somebody else has it by now, as the first
 * of these that is not heard says.
 */
export function copyNotes(
  store: StepPorts['store'],
  { op, wish }: { op: string; wish: CopyWish },
  copy: ImageCopy,
  lost: () => void,
): CopyNotes {
  let { moved } = copy;
  let [told, summed] = [0, Date.now()];
  let text = '';
  let writing: Promise<unknown> = Promise.resolve();
  type Far = Parameters<typeof store.imageCopies.beats>[1];
  const write = (work: () => Promise<unknown>): Promise<unknown> => {
    writing = writing.then(work).catch(() => undefined);
    return writing;
  };
  const tell = (far: Far): Promise<unknown> =>
    write(async () => {
      if (!(await store.imageCopies.beats(copy, far))) lost();
    });
  const beating = setInterval(() => void tell({}), beat);
  return {
    progress(progress) {
      const { phase, done, total } = progress;
      const now = Date.now();
      if (now - told < noted && done !== total) return;
      told = now;
      Context.current().heartbeat(progress);
      const isFurther = phase !== 'fetch' || done > moved.done;
      if (isFurther)
        moved = { done: phase === 'fetch' ? done : moved.total, total: total ?? moved.total, at: new Date(now) };
      void tell({ moved });
      void write(() => store.operations.moved(op, progress));
      const said = bringingText({ ...copy, moved });
      if (said === text) return;
      text = said;
      void write(() => store.vms.setReason(wish.vms, op, said));
    },
    reached(bytes, sum) {
      const now = Date.now();
      if (now - summed < noted) return;
      summed = now;
      void tell({ summed: { bytes, sha256: sum() } });
    },
    async cleared() {
      await tell({ clear: false, summed: null });
    },
    async end() {
      clearInterval(beating);
      await writing;
    },
  };
}
