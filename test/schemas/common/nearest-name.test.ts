import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nearestName } from '../../../schemas/common/nearest-name.js';

describe('the name that was meant', () => {
  it.each([
    ['worker', ['web', 'workers', 'marker'], 'workers'],
    ['wokrer', ['worker', 'wake'], 'worker'],
    ['HOTS-1', ['host-1', 'host-10'], 'host-1'],
    ['wbe', ['web', 'db'], 'web'],
    ['wb', ['web'], 'web'],
    ['databases', ['datastore', 'database_s'], 'database_s'],
    ['web', ['db', 'lb'], undefined],
    ['a', ['b'], 'b'],
    ['', ['a'], 'a'],
    ['abcde', ['abxye'], undefined],
    ['abcdef', ['abxyef'], 'abxyef'],
    ['x'.repeat(101), ['x'.repeat(101)], undefined],
  ])('by %j, of %j, is %j', (wish, known, meant) => {
    expect(nearestName(wish, known)).toBe(meant);
  });

  it('is found through any two edits of a long one, and the nearest of several, the first of those as near', () => {
    const letter = fc.constantFrom('a', 'b', 'c');
    const edit = fc.record({ at: fc.nat(20), how: fc.constantFrom('add', 'drop', 'change'), letter });
    const word = fc.array(letter, { minLength: 8, maxLength: 20 });
    fc.assert(
      fc.property(word, fc.array(edit, { maxLength: 2 }), (letters, edits) => {
        const wish = [...letters];
        for (const { at, how, letter: other } of edits) {
          if (how === 'add') wish.splice(at % wish.length, 0, other);
          else if (how === 'drop') wish.splice(at % wish.length, 1);
          else wish[at % wish.length] = other;
        }
        const name = letters.join('');
        expect(nearestName(wish.join(''), ['somewhere-else', name, `${name}xyz`])).toBe(name);
      }),
    );
    expect(nearestName('abcdef', ['abcdxy', 'abcdex', 'abcdey'])).toBe('abcdex');
  });
});
