import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import {
  hasUnseen,
  printable,
  printableJson,
  printableLines,
  printableYaml,
} from '../../../schemas/common/printable.js';

const between = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, at) => String.fromCodePoint(from + at));

/** What a terminal obeys or nobody sees, by kind. */
const kinds: Record<string, string[]> = {
  C0: [...between(0, 0x1f)],
  'DEL and C1': between(0x7f, 0x9f),
  bidirectional: ['\u061c', '\u200e', '\u200f', ...between(0x202a, 0x202e), ...between(0x2066, 0x2069)],
  'zero-width': ['\u200b', '\u200c', '\u200d', '\u2060', '\ufeff', '\u00ad', '\u180e'],
  separators: ['\u2028', '\u2029'],
  fillers: ['\u115f', '\u1160', '\u3164', '\uffa0', '\u034f', '\u17b4'],
  'variation selectors': ['\ufe00', '\ufe0f', '\u{e0100}'],
  tags: ['\u{e0001}', ...between(0xe0020, 0xe007f)],
  'of music and shorthand': ['\u{1d173}', '\u{1bca0}', '\u{110bd}'],
};
const all = Object.values(kinds).flat();
const shown = (text: string, kept = ''): string[] =>
  Array.from(text).filter((one) => all.includes(one) && !kept.includes(one));

describe.each(Object.entries(kinds))('%s', (_kind, characters) => {
  it('does not reach a terminal, in a line, in lines, in JSON or in YAML', () => {
    for (const one of characters) {
      const text = `a${one}b`;
      expect(shown(printable(text)), JSON.stringify(one)).toEqual([]);
      expect(shown(printableLines(text), '\n\t'), JSON.stringify(one)).toEqual([]);
      expect(shown(printableJson(JSON.stringify(text)))).toEqual([]);
      expect(JSON.parse(printableJson(JSON.stringify(text)))).toBe(text);
      if (one > '\u001f') {
        expect(shown(printableYaml(`"${text}"`))).toEqual([]);
        expect(parse(printableYaml(`"${text}"`))).toBe(text);
      }
      expect(hasUnseen(text)).toBe(true);
    }
  });
});

it('what people write is as they wrote it', () => {
  for (const text of ['Łódź', '田中', 'Анна 3', 'a\\u{202e}b', '🚀', 'e\u0301', '‘quoted’ – a dash…', 'नमस्ते']) {
    expect([printable(text), printableLines(text), printableJson(text), printableYaml(text)]).toEqual([
      text,
      text,
      text,
      text,
    ]);
    expect(hasUnseen(text)).toBe(false);
  }
});

it('what is hidden is named, and what steers is a blank', () => {
  expect(printable('admin\u202e\u200b')).toBe('admin\\u{202e}\\u{200b}');
  expect(printable('\u001b]0;title\u0007\u009b31m')).toBe(' ]0;title  31m');
  expect(printable('two\nlines')).toBe('two lines');
});

it('lines keep their breaks, tabs and colours, and nothing else that steers', () => {
  expect(printableLines('a\tb\n\u001b[31mred\u001b[39m \u001b[2Jgone\u001b[31;1m \u009b31m \u0007[31m')).toBe(
    'a\tb\n\u001b[31mred\u001b[39m  [2Jgone [31;1m  31m  [31m',
  );
});

it('to be made printable twice is the same as once', () => {
  const texts = fc.string({
    unit: fc.oneof(fc.constantFrom(...all, '[31m', '\\', 'a'), fc.string({ unit: 'binary', maxLength: 1 })),
  });
  fc.assert(
    fc.property(texts, (text) => {
      for (const make of [printable, printableLines]) expect(make(make(text))).toBe(make(text));
      expect(shown(printable(text))).toEqual([]);
      expect(printableLines(printable(text))).toBe(printable(text));
    }),
  );
});
