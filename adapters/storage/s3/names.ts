import { named } from '../directories/layout.js';

/** Names of the objects of a datastore: all of an image begin alike, and of two datastores in one bucket none is the other's. */
export function namesIn(prefix: string, datastore: number) {
  const all = `${prefix}datastore-${named(datastore)}/`;
  const of = (image: number): string => `${all}image-${named(image)}/`;
  return {
    all,
    of,
    /** What is kept, and where its bytes are: the image is there when this is. */
    record: (image: number): string => `${of(image)}kept.json`,
    /** Bytes that a try has brought there: another one writes elsewhere. */
    bytes: (image: number, epoch: number, token: string): string => `${of(image)}bytes.${epoch}.${token}`,
    /** Which image a name is of; undefined: it is none of ours. */
    imageOf(key: string): number | undefined {
      const id = /^image-(0|[1-9][0-9]{0,14})\/(kept[.]json|bytes[.][0-9]+[.][0-9a-f-]+)$/.exec(
        key.slice(all.length),
      )?.[1];
      return id === undefined || !key.startsWith(all) ? undefined : Number(id);
    },
  };
}
export type Names = ReturnType<typeof namesIn>;
