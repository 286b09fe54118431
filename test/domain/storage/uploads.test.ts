import { expect, it } from 'vitest';
import { furtherBy, isUploadFurther, judgeUpload, uploadPatience } from '../../../domain/storage/uploads.js';

const now = new Date('2026-05-04T09:00:00Z');
const ago = (milliseconds: number) => new Date(now.getTime() - milliseconds);

it.each([
  ['waits for more', true, ago(0), 5, 'waits'],
  ['waits until its time is over', true, ago(uploadPatience - 1), 5, 'waits'],
  ['is given up then', true, ago(uploadPatience), 5, 'given_up'],
  ['is whole, however late', true, ago(2 * uploadPatience), 10, 'whole'],
  ['was found whole before', false, ago(0), 10, 'whole'],
  ['was given up before, however little time has gone since', false, ago(0), 5, 'given_up'],
])('an upload %s', (_what, open, at, staged, verdict) => {
  expect(judgeUpload({ open, at }, staged, 10, now)).toBe(verdict);
});

it.each([
  ['a byte', 1, 0, false],
  ['enough', furtherBy, 0, true],
  ['enough, from where it was', furtherBy + 6, 7, false],
  ['the last byte', 5 * furtherBy, 5 * furtherBy - 1, true],
  ['the end again', 5 * furtherBy, 5 * furtherBy, false],
  ['less than there was', furtherBy, 3 * furtherBy, false],
])('%s is further, or not', (_what, arrived, before, further) => {
  expect(isUploadFurther(arrived, before, 5 * furtherBy)).toBe(further);
});
