/** A name as it is kept: what is written in another way, and looks the same, is the same. */
export const composed = (name: string): string => name.normalize('NFC');

/** Those of this name: as it is written, else as names are kept. */
export function calledSo<T>(objects: readonly T[], wish: string, nameOf: (object: T) => string): readonly T[] {
  const exactly = objects.filter((object) => nameOf(object) === wish);
  return exactly.length > 0 ? exactly : objects.filter((object) => composed(nameOf(object)) === composed(wish));
}
