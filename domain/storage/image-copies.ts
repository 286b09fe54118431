import type { Datastore } from '../../schemas/storage/datastore.js';
import type { Image } from '../../schemas/storage/image.js';
import type { CopyHolder, CopyPlace, ImageCopy } from '../../schemas/storage/image-copy.js';

/** As far as it says where it lies. */
export type Lying = Pick<Datastore, 'ds_mad'> & { ssh?: Pick<NonNullable<Datastore['ssh']>, 'host' | 'port' | 'user'> };

/** The machine that has it, as adapters tell machines apart. */
const machineOf = ({ ssh }: Lying): string => (ssh ? `${ssh.user}@${ssh.host}:${ssh.port}` : 'here');

/** Whether disks in one can stand on what lies in the other. */
export const isBeside = (one: Lying, other: Lying): boolean =>
  one.ds_mad === other.ds_mad && one.ds_mad !== 's3' && machineOf(one) === machineOf(other);

/** Kinds of which all datastores are beside each other, wherever they are. */
export const isAlwaysBeside = (one: string, other: string): boolean =>
  one === other && (one === 'fs' || one === 'simulated');

/** Whether what lies in one can be brought to the other: bytes have to be there, and a place for disks. */
export const canBring = (from: string, to: string): boolean => from !== 'simulated' && (to === 'fs' || to === 'ssh');

/** Why disks of an image that lies in one cannot be made in the other, as the beginning of a sentence; null: they can, perhaps of a copy. */
export function whyNotThere(
  { id, name, persistent }: { id: number; name: string; persistent: boolean },
  from: Lying,
  to: Lying & { _id: number },
): string | null {
  const it = `image ${id} (${name})`;
  if (isBeside(from, to)) return null;
  if (persistent) return `${it} is persistent, is used where it lies, and lies elsewhere than datastore ${to._id}`;
  if (canBring(from.ds_mad, to.ds_mad)) return null;
  return `${it} is in a datastore of kind ${from.ds_mad}, and is not brought to datastore ${to._id}, of kind ${to.ds_mad}`;
}

export const copyId = ({ image, datastore_id }: CopyPlace): string => `${image}/${datastore_id}`;

/** Whoever gives no sign of life for so long, in milliseconds, may be taken the place of. That he is alive does no harm: his epoch is an older one. */
export const silentAfter = 15_000;
/** What was not brought to its end is kept for so long for whoever goes on. */
const leftAfter = 60_000;
/** What no VM has a disk of is kept for so long: the next one need not wait for it. */
export const idleAfter = 24 * 3_600_000;

/** What becomes of a copy for somebody who needs it now. `late`: a later try of the same step has it. */
export type CopyTurn = 'use' | 'wait' | 'take' | 'late';

export function copyTurn(
  copy: Pick<ImageCopy, 'state' | 'of' | 'holder' | 'beat_at'> | null,
  image: Pick<Image, 'epoch'>,
  { step, attempt }: CopyHolder,
  now: Date,
): CopyTurn {
  if (copy?.state === 'READY' && copy.of === image.epoch) return 'use';
  if (!copy?.holder) return 'take';
  if (copy.holder.step === step) return copy.holder.attempt > attempt ? 'late' : 'take';
  return now.getTime() - copy.beat_at.getTime() < silentAfter ? 'wait' : 'take';
}

/** Before these moments copies of each state are looked at, whether they may go: what is READY, and what is not. */
export const idleBefore = (now: Date): { used: Date; beat: Date } => ({
  used: new Date(now.getTime() - idleAfter),
  beat: new Date(now.getTime() - leftAfter),
});

/** How far a copy is, in per cent. */
const percentOf = ({ done, total }: ImageCopy['moved']): number =>
  total === 0 ? 100 : Math.min(100, Math.floor((100 * done) / total));

/** What VMs that need it read meanwhile. */
export const bringingText = ({ image, datastore_id, moved }: Pick<ImageCopy, 'image' | 'datastore_id' | 'moved'>) =>
  `image ${image} is brought to datastore ${datastore_id}: ${percentOf(moved)} %`;

/** Whether what is said of a VM that is about to boot is that. */
export const isBringing = (reason: string | null): boolean => reason?.includes(' is brought to datastore ') ?? false;
