import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ObjectName } from '../../schemas/common.js';

it('the pattern that describes names takes just those that are taken', () => {
  const pattern = new RegExp(String(ObjectName.meta()?.pattern));
  const character = fc.oneof(
    fc.constantFrom(' ', '\t', '\n', '\u0000', '\u0085', '\u00a0', '\u2028', 'a', '-'),
    fc.string({ unit: 'binary', maxLength: 1 }),
  );
  fc.assert(
    fc.property(
      fc.array(character, { minLength: 1, maxLength: 6 }).map((all) => all.join('')),
      (name) => {
        fc.pre(name !== '');
        expect(pattern.test(name)).toBe(ObjectName.safeParse(name).success);
      },
    ),
  );
});
