import type { Caller } from '../../domain/identity/caller.js';
import { Problem } from '../../domain/problems.js';
import { whyNotChanged } from '../../domain/storage/image-snapshots.js';
import type { OperationInputs } from '../../schemas/operations/inputs.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import { demandOn, whyLost } from '../acts/acts.js';
import { authorised } from '../authorise.js';
import type { Admission, OperationsContext } from '../context.js';
import { type Asked, admit, repeatedRequest } from '../operations/admit.js';

/** Reverts an image that nothing uses to a snapshot, deletes one, or makes the image that snapshot, without any. */
export async function changeImageSnapshots(
  context: OperationsContext,
  caller: Caller,
  id: number,
  change: OperationInputs['snapshotImage'],
  admission: Admission,
): Promise<OperationResource> {
  authorised(caller, 'image', await context.store.images.find(id), 'manage', id);
  const request = { deed: 'change snapshots of image', id, ...change };
  const repeated = await repeatedRequest(context, caller, admission, request);
  return repeated ?? changeImageSnapshotsAgain(context, caller, id, change, { request, admission });
}

export async function changeImageSnapshotsAgain(
  context: OperationsContext,
  caller: Caller,
  id: number,
  change: OperationInputs['snapshotImage'],
  { request, retryOf, admission }: Asked,
): Promise<OperationResource> {
  const { store } = context;
  const image = authorised(caller, 'image', await store.images.find(id), 'manage', id);
  const act = { do: 'image', wish: 'snapshot' } as const;
  await demandOn(store, act, { type: 'image', image });
  const refused = whyNotChanged(image, change);
  if (refused) throw new Problem(refused.code, refused.why);
  return admit(context, caller, admission, {
    kind: 'snapshotImage',
    resource: { type: 'image', id },
    ...{ name: image.name, owner: image, input: change, request, ...(retryOf !== undefined && { retryOf }) },
    claim: (op, transaction) => store.images.admitSnapshots(id, op, transaction),
    refusal: () => whyLost(store, act, { type: 'image', id }),
  });
}
