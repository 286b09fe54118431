import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ObjectName } from '../../../schemas/common/common.js';
import { CreateUser } from '../../../schemas/identity/user.js';

const character = fc.oneof(
  fc.constantFrom(' ', '\t', '\n', '\u0000', '\u0085', '\u00a0', '\u2028', 'a', '-', ':', '_'),
  fc.string({ unit: 'binary', maxLength: 1 }),
);
const text = (least: number) =>
  fc
    .tuple(fc.constantFrom('', '', 'arcus_'), fc.array(character, { minLength: least, maxLength: least + 4 }))
    .map(([start, all]) => start + all.join(''));

it.each([
  ['names', ObjectName, 1],
  ['names of users', CreateUser.shape.name, 1],
  ['passwords', CreateUser.shape.password, 8],
] as const)('the pattern that describes %s takes just those that are taken', (_what, schema, least) => {
  const pattern = new RegExp(String(schema.meta()?.pattern));
  fc.assert(
    fc.property(text(least), (sent) => {
      // In code points, as JSON Schema and zod count.
      fc.pre(Array.from(sent).length >= least);
      expect(pattern.test(sent)).toBe(schema.safeParse(sent).success);
    }),
  );
});
