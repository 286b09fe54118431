/**
 * The texts that a glob means: `*` stands for any characters, `?` for one, all else for itself. A glob that only ends in a
 * star becomes an expression without an end, of which MongoDB makes bounds in an index. What stands between two stars is
 * taken where it first occurs, for good: a look-ahead and what it has found are JavaScript's and MongoDB's way to say so.
 * Otherwise each star would multiply the work by the length of the text.
 */
export function globOf(glob: string): RegExp {
  const [beginning = '', ...parts] = glob.split('*').map(literal);
  const end = parts.pop();
  if (end === undefined) return new RegExp(`^${beginning}$`, 's');
  const between = parts.filter((part) => part !== '').map((part, at) => `(?=(.*?${part}))\\${at + 1}`);
  return new RegExp(`^${beginning}${between.join('')}${end === '' ? '' : `.*${end}$`}`, 's');
}

const literal = (text: string): string => text.replaceAll(/[.+^${}()|[\]\\]/g, '\\$&').replaceAll('?', '.');
