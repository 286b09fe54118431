import type { RetriesOn } from '../operations/retrying.js';
import { changeImageSnapshotsAgain } from './image-snapshots.js';
import { removeImageAgain } from './images.js';
import { makeImageAgain } from './making-images.js';
import { resizeImageAgain } from './resizing-images.js';

export const imageRetries: RetriesOn<'image'> = {
  createImage: (context, caller, { resource: { id } }, asked) => makeImageAgain(context, caller, id, asked),
  cloneImage: (context, caller, { resource: { id } }, asked) => makeImageAgain(context, caller, id, asked),
  // What it came with is there, or gone: the image alone is made again.
  exportApp: (context, caller, { resource: { id } }, asked) => makeImageAgain(context, caller, id, asked),
  resizeImage: (context, caller, { resource: { id }, input }, asked) =>
    resizeImageAgain(context, caller, id, input, asked),
  snapshotImage: (context, caller, { resource: { id }, input }, asked) =>
    changeImageSnapshotsAgain(context, caller, id, input, asked),
  deleteImage: (context, caller, { resource: { id } }, asked) => removeImageAgain(context, caller, id, asked),
};
