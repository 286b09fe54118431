/**
 * The texts that a glob means: `*` stands for any characters, `?` for one, all else for itself. A glob that only ends in a
 * star becomes an expression without an end, of which MongoDB makes bounds in an index.
 */
export function globOf(glob: string): RegExp {
  const isBeginning = glob.endsWith('*');
  const rest = isBeginning ? glob.slice(0, -1) : glob;
  const inner = rest
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${inner}${isBeginning ? '' : '$'}`, 's');
}
