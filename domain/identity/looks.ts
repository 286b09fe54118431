import unhomoglyph from 'unhomoglyph';

/** What is the same of names that differ by case, width or ligatures alone. */
const folded = (name: string): string => name.normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC');

/**
 * The skeleton of Unicode's technical standard 39: characters that look alike are one in it. It tells cases apart. A dot
 * that is put above a letter with a dot is not seen.
 */
const skeleton = (name: string): string =>
  unhomoglyph(name.normalize('NFD'))
    .normalize('NFD')
    .replaceAll(/(?<=[ij])\u0307/g, '');

/**
 * What a name may be read as: two look alike when they have one of these in common. A skeleton is of the name as it is
 * written, and of it in small and in capital letters: `1` is like `l` and `I`, which are not like each other.
 */
export function looksOf(name: string): string[] {
  const small = folded(name);
  const looks = [small, folded(skeleton(name)), folded(skeleton(small)), skeleton(small.toUpperCase())];
  return [...new Set(looks)];
}
