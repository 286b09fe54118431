import { limits } from '../../schemas/common/limits.js';
import type { Disk } from '../../schemas/operations/vm-devices.js';
import type { Image } from '../../schemas/storage/image.js';
import type { Finding } from '../problems.js';

/** The disks of a VM that are worth keeping when all are meant: what a guest only reads is somewhere else, and what it swaps to is nothing. */
export const disksToSave = (disks: readonly Disk[] = []): number[] =>
  disks.filter(({ type, readonly }) => type !== 'swap' && !readonly).map(({ disk_id }) => disk_id);

/**
 * What the image of a disk is called that was saved because that was due: by VM and disk, and by when it was due, so that each is another one, and the same
 * whoever does it again.
 */
export function backupName(begin: string, { vm, disk }: { vm: number; disk: number }, due: Date): string {
  const end = ` ${vm}.${disk} ${due.toISOString().replace(/\.\d{3}Z$/, 'Z')}`;
  return `${begin.slice(0, limits.name.most - end.length).trimEnd()}${end}`;
}

type Backup = Pick<Image, '_id' | 'origin' | 'state' | 'format'>;

/**
 * The images that give way to newer ones of the same disk, oldest first: those beyond the newest `keep` that were made, and those before them that were not.
 * `all`: what one scheduled action has made. Whether each may go is for whoever removes it to say.
 */
export function retired(all: readonly Backup[], keep: number): number[] {
  const diskOf = ({ origin }: Backup): number => ('vm' in origin ? origin.disk : -1);
  const given = [...new Set(all.map(diskOf))].flatMap((disk) => {
    const newestFirst = all.filter((image) => diskOf(image) === disk).toSorted((one, other) => other._id - one._id);
    const oldestKept = newestFirst.filter(isMade)[keep - 1];
    return oldestKept === undefined ? [] : newestFirst.filter(({ _id }) => _id < oldestKept._id);
  });
  return given.map(({ _id }) => _id).sort((one, other) => one - other);
}

const isMade = ({ state, format }: Backup): boolean =>
  format !== null && state !== 'ERROR' && state !== 'DELETE' && state !== 'LOCKED';

/** What is said of a scheduled action that is said of savings alone. */
export const strayMembers = (given: Readonly<Record<string, unknown>>, members: readonly string[]): Finding[] =>
  members.flatMap((member) =>
    given[member] === undefined ? [] : [{ pointer: `/${member}`, detail: 'goes with the action disk-saveas alone' }],
  );
