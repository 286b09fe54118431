import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { withoutPasswords } from '../../../schemas/common/without-passwords.js';

it.each([
  ['MongoDB at mongodb://arcus:secret@h1,h2/arcus?w=1 is away', 'MongoDB at mongodb://…@h1,h2/arcus?w=1 is away'],
  ['Invalid connection string "mongodb://arcus:se/c@ret@h"', 'Invalid connection string "mongodb://…@h"'],
  ['{"err":"mongodb+srv://a:secret@h\\n at x"}', '{"err":"mongodb+srv://…@h\\n at x"}'],
  ['http://u:secret@h/a@b and http://h/a@b', 'http://…@h/a@b and http://h/a@b'],
  ['http://127.0.0.1:9869/api', 'http://127.0.0.1:9869/api'],
  ['nothing, a@b, ://', 'nothing, a@b, ://'],
])('%s', (text, shown) => {
  expect(withoutPasswords(text)).toBe(shown);
});

it('no password of an address of MongoDB is left, wherever it stands', () => {
  const secret = fc.string({ minLength: 1 }).map((text) => `s3cr3t${encodeURIComponent(text)}`);
  fc.assert(
    fc.property(fc.string(), secret, fc.string(), (before, password, after) => {
      expect(withoutPasswords(`${before} mongodb://arcus:${password}@127.0.0.1/ ${after}`)).not.toContain('s3cr3t');
    }),
  );
});
