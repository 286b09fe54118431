import fc from 'fast-check';
import { expect, it } from 'vitest';
import { globOf } from '../../domain/glob.js';

/** The same by trying every way, for texts that are short. */
function means(glob: string, text: string): boolean {
  const [sign, rest] = [glob[0], glob.slice(1)];
  if (sign === undefined) return text === '';
  if (sign === '*')
    return Array.from({ length: text.length + 1 }, (_, at) => text.slice(at)).some((left) => means(rest, left));
  return text !== '' && (sign === '?' || sign === text[0]) && means(rest, text.slice(1));
}

it('a glob means the texts that some way of reading its stars gives', () => {
  const letters = (signs: string[], maxLength: number) =>
    fc.array(fc.constantFrom(...signs), { maxLength }).map((all) => all.join(''));
  fc.assert(
    fc.property(letters(['a', 'b', '*', '?', '.', '$'], 7), letters(['a', 'b', '.', '$', '\n'], 9), (glob, text) => {
      expect(globOf(glob).test(text), `${glob} ${text}`).toBe(means(glob, text));
    }),
  );
});

it('a glob of many stars is refused about as soon as one of none', () => {
  const text = 'a'.repeat(20_000);
  const took = (glob: string): number => {
    const begin = performance.now();
    expect(globOf(glob).test(text)).toBe(false);
    return performance.now() - begin;
  };
  // With stars that try again, twenty thousand letters to the fourth power: the test would not end.
  took('*a*a*a*a*b');
});
