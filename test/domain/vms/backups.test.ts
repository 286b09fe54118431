import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backupName, disksToSave, retired } from '../../../domain/vms/backups.js';
import { scheduledIn, wrongSchedule } from '../../../domain/vms/vm-schedules.js';
import { ObjectName } from '../../../schemas/common/common.js';
import type { Image } from '../../../schemas/storage/image.js';
import { ownDisk } from '../../support/own-disk.js';

const due = new Date('2026-11-30T02:00:00.000Z');
type Backup = Parameters<typeof retired>[0][number];
const image = (_id: number, disk = 0, state: Image['state'] = 'READY'): Backup => ({
  ...{ _id, state, origin: { vm: 3, disk, schedule: 0 } },
  format: state === 'ERROR' || state === 'LOCKED' ? null : 'qcow2',
});

describe('images of disks that are saved again and again', () => {
  it('are called by VM, disk and time', () => {
    expect(backupName('nightly', { vm: 12, disk: 0 }, due)).toBe('nightly 12.0 2026-11-30T02:00:00Z');
  });

  it('have names, each another one for another disk or time', () => {
    const of = fc.record({ vm: fc.nat(), disk: fc.nat(4_095), seconds: fc.nat(10 ** 9) });
    const nameOf = (begin: string, { vm, disk, seconds }: { vm: number; disk: number; seconds: number }) =>
      backupName(begin, { vm, disk }, new Date(due.getTime() + seconds * 1_000));
    const begins = fc.string({ minLength: 1, maxLength: 128 }).filter((text) => ObjectName.safeParse(text).success);
    fc.assert(
      fc.property(begins, of, of, (begin, one, other) => {
        expect(ObjectName.safeParse(nameOf(begin, one)).success).toBe(true);
        expect(nameOf(begin, one) === nameOf(begin, other)).toBe(JSON.stringify(one) === JSON.stringify(other));
      }),
    );
  });

  it('give way to newer ones of the same disk', () => {
    expect(retired([image(1), image(2, 1), image(3), image(4)], 2)).toEqual([1]);
    expect(retired([image(1), image(2)], 2)).toEqual([]);
    expect(retired([image(1), image(2), image(3, 0, 'USED')], 1)).toEqual([1, 2]);
  });

  it('that were not made are nothing that older ones give way to, and go with them', () => {
    expect(retired([image(1), image(2, 0, 'ERROR')], 1)).toEqual([]);
    expect(retired([image(1, 0, 'ERROR'), image(2), image(3, 0, 'LOCKED')], 1)).toEqual([1]);
  });

  it('never are so few that fewer stay than are to', () => {
    const states = fc.constantFrom<Image['state']>('READY', 'USED', 'ERROR', 'LOCKED', 'DISABLED');
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(2), states), { maxLength: 30 }),
        fc.integer({ min: 1, max: 5 }),
        (all, keep) => {
          const images = all.map(([disk, state], at) => image(at, disk, state));
          const gone = new Set(retired(images, keep));
          for (const disk of [0, 1, 2]) {
            const made = images.filter(
              ({ origin, format }) => 'vm' in origin && origin.disk === disk && format !== null,
            );
            expect(made.filter(({ _id }) => !gone.has(_id))).toEqual(made.slice(-keep));
          }
        },
      ),
    );
  });

  it('are of all disks that a guest writes to', () => {
    const disks = [
      ownDisk,
      { ...ownDisk, disk_id: 1, type: 'swap' as const },
      { ...ownDisk, disk_id: 2, readonly: true as const },
    ];
    expect(disksToSave(disks)).toEqual([0]);
    expect(disksToSave()).toEqual([]);
  });

  it('are asked for in a VM template, too', () => {
    const said = { ACTION: 'disk-saveas', RECURRENCE: '0 2 * * *', IMAGE_NAME: 'nightly', DISK_ID: '0', KEEP: '7' };
    expect(scheduledIn(said)).toEqual({
      wishes: [{ action: 'disk-saveas', recurrence: '0 2 * * *', image_name: 'nightly', disk_id: 0, keep: 7 }],
      findings: [],
    });
    expect(scheduledIn({ ...said, KEEP: '0' }).findings).toMatchObject([{ pointer: '/SCHED_ACTION/KEEP' }]);
    expect(wrongSchedule({ action: 'reboot', recurrence: '0 2 * * *', keep: 1 })).toEqual([
      { pointer: '/keep', detail: 'goes with the action disk-saveas alone' },
    ]);
  });
});
