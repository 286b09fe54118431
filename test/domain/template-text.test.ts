import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTemplateText, printTemplateText, readTemplateText } from '../../domain/template-text.js';
import { TextScanner } from '../../domain/text-scanner.js';

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

const after = 'expected the end of the line or another NAME=value after the value of';
const notAName = 'is not the name of an attribute: letters, digits and _, and no digit first';

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
SCHED_REQUIREMENTS = "FREE_CPU > 50 & ID != 3"
OS=[ARCH=x86_64] FEATURES = [ # two on a line
  ACPI=yes ] LABELS=prod  ARCH=arm
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
      OS: { ARCH: 'x86_64' },
      FEATURES: { ACPI: 'yes' },
      LABELS: 'prod',
      ARCH: 'arm',
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
    ['NAME=q LABELS=prod', { NAME: 'q', LABELS: 'prod' }],
    ['APPEND=DISK,NIC\tA="b c" B=[C=1] D=', { APPEND: 'DISK,NIC', A: 'b c', B: { C: '1' }, D: '' }],
    ['_X=1\nA_1=$NETWORK[IP]', { _X: '1', A_1: '$NETWORK[IP]' }],
  ])('reads %j', (text, expected) => {
    expect(read(text)).toEqual(expected);
  });

  it.each([
    ['CPU 1', [{ line: 1, column: 4, detail: 'expected = after CPU' }]],
    ['A=1\n  = 2', [{ line: 2, column: 3, detail: 'expected NAME=value' }]],
    ['A=1\nB="x', [{ line: 2, column: 3, detail: 'expected a second quote to close this one' }]],
    ['A="x" y', [{ line: 1, column: 7, detail: `${after} A` }]],
    ['A="x"B=y', [{ line: 1, column: 6, detail: `${after} A` }]],
    ['A=b c', [{ line: 1, column: 5, detail: `${after} A; a value with blanks or = needs quotes` }]],
    ['A=FREE_CPU > 5', [{ line: 1, column: 12, detail: `${after} A; a value with blanks or = needs quotes` }]],
    ['KEY=abc==', [{ line: 1, column: 8, detail: `${after} KEY; a value with blanks or = needs quotes` }]],
    ['A=[B=1 C=2]', [{ line: 1, column: 8, detail: 'expected , or ] after the value of B' }]],
    ['A=1 MY-LABEL=2', [{ line: 1, column: 5, detail: `MY-LABEL ${notAName}` }]],
    ['DISK=[A/B=1]', [{ line: 1, column: 7, detail: `A/B ${notAName}` }]],
    [
      '2ND=1\n$EXTRA',
      [
        { line: 1, column: 1, detail: `2ND ${notAName}` },
        { line: 2, column: 7, detail: 'expected = after $EXTRA' },
      ],
    ],
    ['A=[B=1', [{ line: 1, column: 7, detail: 'expected , or ] after the value of B' }]],
    ['A=[B=1,]', [{ line: 1, column: 8, detail: 'expected NAME=value after the comma' }]],
    ['A=[B=1, b=2]', [{ line: 1, column: 9, detail: 'expected B only once in these brackets' }]],
    ['A=[\n  B 1\n  C=2\n]\nD=3', [{ line: 2, column: 4, detail: 'expected = after B' }]],
  ])('says where %j is wrong', (text, errors) => {
    expect(errorsOf(text)).toEqual(errors);
  });

  it('takes work that grows with its length, whatever it is', () => {
    const part = fc.array(
      fc.constantFrom(
        'A=1',
        'A="',
        '"',
        '\\"',
        '\\',
        '[',
        ']',
        '=',
        ',',
        '#',
        ' ',
        '\n',
        '$A',
        'B=[C=1',
        'x',
        '\r\n',
        '\t',
      ),
      { minLength: 1, maxLength: 8 },
    );
    const before = fc.constantFrom('', 'A=[', 'A="', 'A=1\n');
    fc.assert(
      fc.property(before, part, (start, parts) => {
        const text = start + parts.join('').repeat(500);
        const scanner = new TextScanner(text);
        readTemplateText(scanner, { standIns: true });
        // Errors look for their line, and there are twenty of them at most.
        expect(scanner.steps).toBeLessThan(50 * (text.length + 1));
      }),
    );
  });

  it('has a bound in length and in number', () => {
    const alike = 'A=1\n'.repeat(20_000);
    const scanner = new TextScanner(alike);
    expect(readTemplateText(scanner)).toEqual({
      ok: false,
      errors: [{ line: 2001, column: 1, detail: 'there are more than 2000 attributes' }],
    });
    expect(scanner.steps).toBeLessThan(alike.length);
    const members = Array.from({ length: 2001 }, (_, at) => `A${at}=1`).join(',\n');
    expect(errorsOf(`DISK=[${members}]`)).toEqual([
      { line: 2000, column: 1, detail: 'there are more than 2000 attributes' },
    ]);
    const half = members.split('\n').slice(0, 999).join('');
    expect(errorsOf(`A=[${half}B=1]\nB=[${half}B=1]\nC=1`)).toEqual([
      { line: 2, column: expect.any(Number), detail: 'there are more than 2000 attributes' },
    ]);
    const [tooLong] = errorsOf(`A="${'x'.repeat(262_144)}"`);
    expect(tooLong?.detail).toBe('the text is longer than 262144 characters');
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
