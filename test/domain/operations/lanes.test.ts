import { expect, it } from 'vitest';
import { laneOf, ownLane, partyOf } from '../../../domain/operations/lanes.js';
import { OperationKind } from '../../../schemas/operations/operation.js';
import { takesAway } from '../../../schemas/operations.js';

it('the first operations of a user have the lane of their own, those beyond share one', () => {
  expect(Array.from({ length: ownLane + 2 }, (_, open) => laneOf(open))).toEqual([
    ...Array.from({ length: ownLane }, () => 'own'),
    'shared',
    'shared',
  ]);
});

it('what takes away is counted, and takes turns, by itself', () => {
  expect(OperationKind.options.filter(takesAway)).toEqual([
    'undeployService',
    'terminateVm',
    'deleteImage',
    'deleteApp',
  ]);
  const requester = { id: 7, name: 'bob' };
  expect(partyOf({ kind: 'deployService', requester })).toBe('user-7');
  expect(partyOf({ kind: 'terminateVm', requester })).toBe('user-7-takes-away');
  expect(partyOf(null)).toBeNull();
});
