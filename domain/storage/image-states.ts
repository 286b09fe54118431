import { grouped } from '../../schemas/common/limits.js';
import type { Image, ImageState } from '../../schemas/storage/image.js';

export type ImageEvent =
  /** Its bytes are being made, once more perhaps; are there; or could not be made. */
  | 'make'
  /** It is made larger. */
  | 'resize'
  /** Its snapshots are changed. */
  | 'snapshot'
  | 'made'
  | 'fail'
  /** What administrators and owners ask for. */
  | 'enable'
  | 'disable'
  /** A VM uses it, or the one that may; none does any more. */
  | 'use'
  | 'use_pers'
  | 'release'
  /** Others are being made of it; none is any more. */
  | 'clone'
  | 'cloned'
  /** It is being removed; what was left of it could not be. */
  | 'remove'
  | 'fail_remove';

type Row = Partial<Record<ImageEvent, ImageState>>;

/**
 * State → event → next state; an absent pair is illegal. A state on the way accepts its own event again, for a second run. What VMs use may be cloned
 * all the same, and stays USED; a persistent one that is in use may not, for it changes meanwhile. From ERROR it is made again, or removed; one of which nobody
 * knows how large it is since it was to be resized, is resized again.
 */
export const imageStates = {
  LOCKED: { make: 'LOCKED', made: 'READY', fail: 'ERROR', remove: 'DELETE' },
  READY: {
    ...{ use: 'USED', use_pers: 'USED_PERS', clone: 'CLONE' },
    ...{ resize: 'LOCKED', snapshot: 'LOCKED', disable: 'DISABLED', remove: 'DELETE' },
  },
  USED: { use: 'USED', clone: 'USED', cloned: 'USED', release: 'READY' },
  USED_PERS: { use_pers: 'USED_PERS', release: 'READY' },
  CLONE: { use: 'USED', clone: 'CLONE', cloned: 'READY' },
  DISABLED: { enable: 'READY', remove: 'DELETE' },
  ERROR: { make: 'LOCKED', resize: 'LOCKED', remove: 'DELETE' },
  DELETE: { remove: 'DELETE', fail_remove: 'ERROR' },
} as const satisfies Record<ImageState, Row>;

/** The state of an image after an event, or undefined where that is illegal. */
export function nextImageState(state: ImageState, event: ImageEvent): ImageState | undefined {
  const row: Row = imageStates[state];
  return row[event];
}

/** The states that an event leads on from. */
export const statesBefore = (event: ImageEvent): ImageState[] =>
  allStates.filter((state) => nextImageState(state, event) !== undefined);

const isState = (name: string): name is ImageState => Object.hasOwn(imageStates, name);
const allStates: readonly ImageState[] = Object.keys(imageStates).filter(isState);

/** MB of so many bytes; at least one. */
export const megabytesOf = (bytes: number): number => Math.max(1, Math.ceil(bytes / 2 ** 20));

/** MB that quotas are charged for an image as it is kept: what a guest sees of it, or what it takes, whichever is more. */
export const sizeOf = ({ virtualSize, bytes }: { virtualSize: number; bytes: number }): number =>
  megabytesOf(Math.max(virtualSize, bytes));

/** What an image was made of, for everybody who may see it: of an address, nothing of what stands behind its path. */
export function sourceText({ origin }: Pick<Image, 'origin'>): string {
  if ('path' in origin) return origin.path;
  if ('app' in origin) return `app ${origin.app}`;
  if ('vm' in origin) {
    const by = origin.schedule === undefined ? '' : `, by its scheduled action ${origin.schedule}`;
    const of = origin.snapshot === undefined ? '' : `snapshot ${origin.snapshot} of `;
    return `${of}disk ${origin.disk} of VM ${origin.vm}${by}`;
  }
  if ('image' in origin) return `image ${origin.image}`;
  if ('empty' in origin) return `empty, ${origin.empty.size_mb} MB`;
  if ('upload' in origin) return `uploaded, ${grouped(origin.upload.bytes)} bytes`;
  return origin.url.split(/[?#]/, 1)[0] ?? '';
}
