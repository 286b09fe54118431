import { Context } from '@temporalio/activity';
import type { ImageClaim } from '../../adapters/storage/port.js';
import { Problem, problemOf } from '../../domain/problems.js';
import { idleBefore } from '../../domain/storage/image-copies.js';
import type { CopyHolder, CopyPlace, ImageCopy } from '../../schemas/storage/image-copy.js';
import { eachApart } from '../operations/each-apart.js';
import type { StepPorts } from '../ports.js';

// Copies of images in datastores that lie elsewhere: how they go. How they come is for those who need them.

type Ports = Pick<StepPorts, 'store' | 'storages'>;

/** A copy as its adapter knows it. */
export const copyClaimOf = ({ image: id, datastore_id, ds_mad, epoch }: ImageCopy): ImageClaim => ({
  ...{ id, epoch, datastore: { id: datastore_id, ds_mad } },
});

/** This try of this step. */
export function holderHere(): CopyHolder {
  const { workflowExecution, activityId, attempt } = Context.current().info;
  return { step: `${workflowExecution?.runId}/${activityId}`, attempt };
}

/**
 * Nothing of a copy is left; false: it is another one’s by now, or VMs need it. `isUnfit`: it will never be there, whoever needs it.
 */
export async function droppedCopy(
  { store, storages }: Ports,
  seen: ImageCopy,
  signal: AbortSignal,
  { holder = holderHere(), isUnfit = false }: { holder?: CopyHolder; isUnfit?: boolean } = {},
): Promise<boolean> {
  const copy = await store.copyClaims.end(seen, { holder, isUnfit });
  if (!copy) return false;
  await storages.of(copy).remove(copyClaimOf(copy), signal);
  return store.imageCopies.forget(copy);
}

/** Nothing is left of the copies of an image that is going: it is used by nobody any more, so nobody begins with another one. */
export async function droppedCopies(ports: Ports, image: number, signal: AbortSignal): Promise<void> {
  for (;;) {
    const [copy] = await ports.store.imageCopies.ofImages([image]);
    if (!copy) return;
    if (await droppedCopy(ports, copy, signal)) continue;
    const now = await ports.store.imageCopies.find(copy);
    if (now?.epoch === copy.epoch)
      throw new Problem('in_use', `Disks of VMs stand on what datastore ${copy.datastore_id} has of image ${image}.`);
  }
}

/** Copies that one look has removed at most, and how many side by side. */
const most = 20;
const atOnce = 4;

/** Copies go that no VM has had a disk of for long, and those that nobody has gone on with. What does not go now does at a later look. */
export async function dropIdleCopies(ports: Ports, signal: AbortSignal): Promise<void> {
  const idle = await ports.store.copyClaims.idle(idleBefore(new Date()), most);
  const failures = await eachApart(idle, atOnce, (copy) => droppedCopy(ports, copy, signal));
  signal.throwIfAborted();
  for (const { error } of failures) if (problemOf(error) === undefined) throw error;
}

/**
 * Copies that were on their way for VMs that are gone go, unless others need them. Nobody's end waits for that: what does not go now is found by who looks for what is
 * idle.
 */
export async function dropUnfinished(ports: Ports, places: readonly CopyPlace[], signal: AbortSignal): Promise<void> {
  for (const place of places) {
    const copy = await ports.store.imageCopies.find(place);
    if (copy === null || copy.state === 'READY') continue;
    await droppedCopy(ports, copy, signal).catch((error: unknown) => {
      if (problemOf(error) === undefined) throw error;
    });
  }
}
