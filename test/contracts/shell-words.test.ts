import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { shellText } from '../../domain/storage/shell-words.js';

/** Words as a shell gives them to a program. */
const readBy = (shell: string, words: readonly string[]): string[] =>
  execFileSync(shell, ['-c', `printf '%s\\0' ${shellText(words)}`], { encoding: 'utf8' })
    .split('\0')
    .slice(0, -1);

/** What shells make something of, more often than chance has it. */
const telling = fc.string({
  unit: fc.oneof(
    fc.constantFrom(...'\'"\\$`!*?[]{}()<>|&;#~=%^ \t\n\r-'.split('')),
    fc.constantFrom("'\\''", '$(id)', '`id`', '\\\n', "'; exit 9 #", 'é', '\u{1f600}', '\x7f', '\x1b'),
    fc.string({ minLength: 1, maxLength: 1, unit: 'grapheme' }),
  ),
  maxLength: 30,
});

it.each(['sh', 'bash'])('words are the same words again, whatever is in them (%s)', (shell) => {
  fc.assert(
    fc.property(fc.array(telling, { minLength: 1, maxLength: 40 }), (words) => {
      const sound = words.map((word) => Buffer.from(word.replaceAll('\0', '')).toString());
      expect(readBy(shell, sound)).toEqual(sound);
    }),
    { numRuns: 150 },
  );
});

it('what has a NUL in it is no word', () => {
  expect(() => shellText(['a\0b'])).toThrow(TypeError);
});
