import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTemplateText, printTemplateText } from '../../domain/template-text.js';

const read = (text: string) => {
  const parsed = parseTemplateText(text);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return parsed.value;
};
const errorsOf = (text: string) => {
  const parsed = parseTemplateText(text);
  return parsed.ok ? [] : parsed.errors;
};

const name = fc.stringMatching(/^[A-Z_][A-Z0-9_]{0,6}$/);
const value = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string(),
  fc.constantFrom('"', '\\', '\\"', 'a\nb', ' #x', ''),
);
const attributes = fc.dictionary(name, value, { maxKeys: 4, noNullPrototype: true });
const item = fc.oneof(value, attributes);
const template = fc.dictionary(name, fc.oneof(item, fc.array(item, { minLength: 2, maxLength: 4 })), {
  noNullPrototype: true,
});

describe('template text', () => {
  it('is read with all its forms', () => {
    const text = `# a web server
name = web
CPU="0.5"   # half a core
MEMORY = 512 # MB
DESCRIPTION="two
lines with a \\"quote\\" and a \\\\"
DISK=[ IMAGE_ID = 1, TARGET="vda" ]
DISK=[
  TYPE=fs,  # volatile
  SIZE=1024
]
EMPTY=
NOTHING=[]
SCHED_REQUIREMENTS = FREE_CPU > 50 & ID != 3
`;
    expect(read(text)).toEqual({
      NAME: 'web',
      CPU: '0.5',
      MEMORY: '512',
      DESCRIPTION: 'two\nlines with a "quote" and a \\',
      DISK: [
        { IMAGE_ID: '1', TARGET: 'vda' },
        { TYPE: 'fs', SIZE: '1024' },
      ],
      EMPTY: '',
      NOTHING: {},
      SCHED_REQUIREMENTS: 'FREE_CPU > 50 & ID != 3',
    });
  });

  it.each([
    ['', {}],
    ['\r\nA=1\r\nB=[C=2]\r\n', { A: '1', B: { C: '2' } }],
    ['PASSWORD=a#b', { PASSWORD: 'a#b' }],
    ['PATH="C:\\new"', { PATH: 'C:\\new' }],
    ['A=1\nA=2\nA=3', { A: ['1', '2', '3'] }],
    ['NIC=[NETWORK_ID=$priv]', { NIC: { NETWORK_ID: '$priv' } }],
    ['A=""', { A: '' }],
    ['A=  # nothing\nB=#fff', { A: '', B: '#fff' }],
  ])('reads %j', (text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  it.each([
    ['CPU 1', [{ line: 1, column: 4, detail: 'expected = after CPU' }]],
    ['A=1\n  = 2', [{ line: 2, column: 3, detail: 'expected NAME=value' }]],
    ['A=1\nB="x', [{ line: 2, column: 3, detail: 'expected a second quote to close this one' }]],
    ['A="x" y', [{ line: 1, column: 7, detail: 'expected the end of the line after the value of A' }]],
    ['A=[B=1', [{ line: 1, column: 7, detail: 'expected , or ] after the value of B' }]],
    ['A=[B=1,]', [{ line: 1, column: 8, detail: 'expected NAME=value after the comma' }]],
    ['A=[B=1, b=2]', [{ line: 1, column: 9, detail: 'expected B only once in these brackets' }]],
    ['A=[\n  B 1\n  C=2\n]\nD=3', [{ line: 2, column: 4, detail: 'expected = after B' }]],
  ])('says where %j is wrong', (text, errors) => {
    expect(errorsOf(text)).toEqual(errors);
  });

  it('reports several errors at once, but not thousands', () => {
    expect(errorsOf('CPU 1\nMEMORY=512\n=3\nDISK=[A=1,]\nB=2').map(({ line }) => line)).toEqual([1, 3, 4]);
    expect(errorsOf('?\n'.repeat(5000))).toHaveLength(20);
  });

  it('is read back as it was printed', () => {
    fc.assert(
      fc.property(template, (value) => {
        expect(read(printTemplateText(value))).toEqual(value);
      }),
    );
  });

  it('prints numbers and booleans as text, and what lies deeper as JSON', () => {
    expect(printTemplateText({ CPU: 0.5, KEEP: true, DISK: [{ SIZE: 10, TAGS: ['a'] }, { SIZE: 20 }] })).toBe(
      'CPU="0.5"\nKEEP="true"\nDISK=[SIZE="10", TAGS="[\\"a\\"]"]\nDISK=[SIZE="20"]\n',
    );
  });

  it('is read or refused, whatever it is', () => {
    const noise = fc.string({ unit: fc.constantFrom('A', '=', '"', '[', ']', ',', '\\', '#', ' ', '\n', '1') });
    fc.assert(
      fc.property(noise, (text) => {
        const lines = text.split('\n');
        for (const { line, column } of errorsOf(text)) {
          expect(lines[line - 1]).toBeDefined();
          expect(column).toBeLessThanOrEqual((lines[line - 1]?.length ?? 0) + 1);
        }
      }),
    );
  });
});
