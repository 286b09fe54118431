import { expect, it } from 'vitest';
import { disksOfOthers } from '../../../domain/vms/image-names.js';

it('disks have other images, and all else stays as it is, in its place', () => {
  const swap = { TYPE: 'swap', SIZE: 8 };
  const disks = [{ IMAGE: 'debian', IMAGE_UNAME: 'ann', SIZE: 16 }, swap, { IMAGE_ID: 7, READONLY: 'YES' }];
  expect(
    disksOfOthers(
      disks,
      new Map([
        [0, 20],
        [2, 21],
      ]),
    ),
  ).toEqual([{ IMAGE_ID: 20, SIZE: 16 }, swap, { IMAGE_ID: 21, READONLY: 'YES' }]);
  expect(disksOfOthers({ IMAGE: 'debian' }, new Map([[0, 20]]))).toEqual({ IMAGE_ID: 20 });
  expect(disksOfOthers(swap, new Map())).toEqual(swap);
});
