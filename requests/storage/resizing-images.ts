import type { Caller } from '../../domain/identity/caller.js';
import { Problem } from '../../domain/problems.js';
import { whyWhole } from '../../domain/storage/image-snapshots.js';
import { mebi } from '../../schemas/common/mebi.js';
import type { OperationResource } from '../../schemas/operations/operation-resource.js';
import type { Image, ImageType, ResizeImage } from '../../schemas/storage/image.js';
import { demandOn, whyLost } from '../acts/acts.js';
import { authorised } from '../authorise.js';
import type { Admission, OperationsContext } from '../context.js';
import { type Asked, admit, repeatedRequest } from '../operations/admit.js';

/** Makes an image larger that nothing uses. */
export async function resizeImage(
  context: OperationsContext,
  caller: Caller,
  id: number,
  wish: ResizeImage,
  admission: Admission,
): Promise<OperationResource> {
  authorised(caller, 'image', await context.store.images.find(id), 'manage', id);
  const request = { deed: 'resize image', id, ...wish };
  const repeated = await repeatedRequest(context, caller, admission, request);
  return repeated ?? resizeImageAgain(context, caller, id, wish, { request, admission });
}

export async function resizeImageAgain(
  context: OperationsContext,
  caller: Caller,
  id: number,
  { size_mb }: ResizeImage,
  { request, retryOf, admission }: Asked,
): Promise<OperationResource> {
  const { store } = context;
  const image = authorised(caller, 'image', await store.images.find(id), 'manage', id);
  const act = { do: 'image', wish: 'resize' } as const;
  await demandOn(store, act, { type: 'image', image });
  refuseUnfit(image, size_mb);
  const whole = whyWhole(image, 'is made larger');
  if (whole !== null) throw new Problem('wrong_state', whole);
  return admit(context, caller, admission, {
    kind: 'resizeImage',
    resource: { type: 'image', id },
    ...{ name: image.name, owner: image, input: { size_mb }, request, ...(retryOf !== undefined && { retryOf }) },
    claim: (op, transaction) => store.images.admitResize(id, op, size_mb, transaction),
    refusal: () => whyLost(store, act, { type: 'image', id }),
  });
}

const larger: readonly ImageType[] = ['OS', 'DATABLOCK'];
function refuseUnfit({ _id: id, name, type, state, virtual_size }: Image, size_mb: number): void {
  const it = `Image ${id} (${name})`;
  if (!larger.includes(type))
    throw new Problem('wrong_state', `${it} is of type ${type}: ${larger.join(' and ')} are made larger.`);
  if (virtual_size === null) throw new Problem('wrong_state', `${it} was never made. Try that again, or delete it.`);
  // Of one in ERROR nobody knows how large it has become.
  if (state === 'ERROR' || size_mb * mebi > virtual_size) return;
  throw new Problem('invalid_request', `${it} can be made larger, and not smaller.`, {
    findings: [
      { pointer: '/size_mb', detail: `must be more than the ${Math.floor(virtual_size / mebi)} MB that it has` },
    ],
  });
}
