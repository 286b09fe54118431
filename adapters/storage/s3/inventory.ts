import type { Inventory } from '../port.js';
import type { Bucket } from './bucket.js';
import type { Names } from './names.js';

/** Everything of a datastore in its bucket, and what lies here on its way there. What is no name of ours is told of, and never touched. */
export async function inventoryOf(
  bucket: Bucket,
  names: Names,
  here: Inventory,
  signal: AbortSignal,
): Promise<Inventory> {
  const sums = new Map<number, number>();
  const kept = new Set<number>();
  const strange = here.strange.map((name) => `staging: ${name}`);
  const count = (image: number, bytes: number) => sums.set(image, (sums.get(image) ?? 0) + bytes);
  for await (const { key, bytes } of bucket.list(names.all, signal)) {
    const image = names.imageOf(key);
    if (image === undefined) strange.push(key);
    else {
      count(image, bytes);
      if (key === names.record(image)) kept.add(image);
    }
  }
  for (const { key } of await bucket.begun(names.all, signal)) {
    const image = names.imageOf(key);
    // Begun beside what is kept, it is of a try that was overtaken, and goes with the image.
    if (image !== undefined) count(image, 0);
  }
  const arriving = new Map([...sums].filter(([image]) => !kept.has(image)));
  for (const { id: image, bytes } of [...here.staging.map(({ image: id, bytes }) => ({ id, bytes })), ...here.images])
    if (!kept.has(image) || bytes > 0) arriving.set(image, (arriving.get(image) ?? 0) + bytes);
  return {
    images: [...kept].sort((one, other) => one - other).map((id) => ({ id, bytes: sums.get(id) ?? 0 })),
    staging: [...arriving].sort(([one], [other]) => one - other).map(([image, bytes]) => ({ image, bytes })),
    disks: here.disks,
    contexts: here.contexts,
    strange: strange.sort(),
  };
}

/** Bytes that all objects of a datastore have. */
export async function usedIn(bucket: Bucket, names: Names, signal: AbortSignal): Promise<number> {
  let used = 0;
  for await (const { bytes } of bucket.list(names.all, signal)) used += bytes;
  return used;
}
