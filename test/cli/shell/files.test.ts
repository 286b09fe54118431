import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { Complaint } from '../../../cli/shell/complaint.js';
import { documentsIn, readDocuments } from '../../../cli/shell/files/documents.js';
import { readInput, vmTemplateText } from '../../../cli/shell/files/input.js';
import { printableLines } from '../../../schemas/common/printable.js';
import { VmTemplateBody } from '../../../schemas/vms/vm-template.js';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'arcus-files-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function fileOf(name: string, content: string | Buffer): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}
const contents = (file: string, text: string) => documentsIn(file, text).map(({ content }) => content);
function complaintOf(act: () => unknown): Complaint {
  try {
    act();
  } catch (error) {
    if (error instanceof Complaint) return error;
    throw error;
  }
  throw new Error('nobody complained');
}
const faults = (file: string, text: string) =>
  complaintOf(() => documentsIn(file, text)).findings.map(({ pointer, detail }) => `${pointer} ${detail}`);

describe('a file', () => {
  it('keeps lines of a value that look like comments of another language', () => {
    const script = '#!/bin/sh\n// not a comment\n# nor this\n/* nor this */\n';
    const object = { kind: 'vm_template', template: { START_SCRIPT: script, URL: 'http://a//b' } };
    expect(contents('a.yaml', stringify(object))).toEqual([object]);
    expect(contents('-', stringify(object))).toEqual([object]);
    expect(contents('a.json', `// of a team\n${JSON.stringify(object, null, 1)}`)).toEqual([object]);
  });

  it('is JSON with comments behind values and between them', () => {
    const text = '/* one */ {\n  "a": 1, // the first "x": 5\n  "b": [2 /* two */, 3], // {\n  "c": "// no" }\n';
    for (const file of ['-', 'a.json', 'a.jsonc', 'a.txt'])
      expect(contents(file, text), file).toEqual([{ a: 1, b: [2, 3], c: '// no' }]);
  });

  it('is YAML where its name says so, whatever it begins with, and by its beginning elsewhere', () => {
    expect(contents('a.yml', '{a: 1}')).toEqual([{ a: 1 }]);
    expect(contents('a.txt', 'a: 1')).toEqual([{ a: 1 }]);
    expect(contents('-', '# c\n{a: 1}')).toEqual([{ a: 1 }]);
    expect(faults('-', '{a: 1}')[0]).toBe('standard input:1:2 invalid symbol');
  });

  it('has as many documents as hold something', () => {
    expect(contents('-', '---\na: 1\n---\n# nothing\n---\nb: 2\n---\n')).toEqual([{ a: 1 }, { b: 2 }]);
    expect(contents('-', '---\r\na: 1\r\n---\r\n')).toEqual([{ a: 1 }]);
    expect(contents('-', '~')).toEqual([null]);
    expect(complaintOf(() => readDocuments(fileOf('empty.yaml', '---\n# nothing\n---\n'))).message).toMatch(
      /There is no document/,
    );
    expect(complaintOf(() => readInput(fileOf('two.yaml', 'a: 1\n---\nb: 2\n'))).message).toMatch(
      /has more than one document, the second at .*two\.yaml:3/,
    );
  });

  it('may have a byte order mark and lines that end as on Windows', () => {
    const file = fileOf('windows.yaml', '\uFEFFa: 1\r\nb:\r\n  c: two\r\n');
    expect(readDocuments(file).map(({ content }) => content)).toEqual([{ a: 1, b: { c: 'two' } }]);
    const template = fileOf('windows.tmpl', '\uFEFFNAME=a\r\nCPU="1"\r\n');
    expect(readInput(template, { templateText: true }).content).toEqual({ name: 'a', template: { CPU: '1' } });
  });

  it.each<[string, string, string | RegExp]>([
    ['a.yaml', 'a: 1\nb: *none\n', /a\.yaml:2:4 .*none/],
    ['a.yaml', 'a: 1\nb: 2\na: 3\n', /a\.yaml:3:1 Map keys must be unique/],
    ['a.yaml', 'a:\n\tb: 1\n', /a\.yaml:2:1 /],
    [
      'a.yaml',
      'a: 12345678901234567890',
      'a.yaml:1:4 12345678901234567890 is too large for a number: write it in quotes',
    ],
    ['a.yaml', 'a: .inf', 'a.yaml:1:4 .inf is not a number that JSON has: write it in quotes'],
    ['a.yaml', 'a: !secret b', /a\.yaml:1:4 Unresolved tag/],
    ['a.yaml', '? [a]\n: 1', 'a.yaml:1:3 a name must be a text'],
    ['a.yaml', '%YAML 1.1\n---\na: yes', 'a.yaml:3:1 this is read as YAML 1.2, not 1.1'],
    ['a.yaml', 'a: &x [*x]', /the aliases stand for more than 10000 values/],
    ['a.json', '{"a": 1,\n "a": 2}', 'a.json:2:2 "a" is given twice in the same object'],
    ['a.json', '{"a": 1,\n}', /a\.json:2:1 /],
    [
      'a.json',
      '{\n "a": 9007199254740993}',
      'a.json:2:7 9007199254740993 is too large for a number: write it in quotes',
    ],
    ['a.json', '{"a": [1, 2', /a\.json:1:12 /],
  ])('%s that holds %j is the user’s error, with its line and column', (file, text, fault) => {
    expect(faults(file, text)).toContainEqual(typeof fault === 'string' ? fault : expect.stringMatching(fault));
  });

  it('is refused where aliases would make it large, or it is too deep, long, or no text', () => {
    const bomb = Array.from(
      { length: 30 },
      (_, at) => `a${at}: &a${at} [${at === 0 ? 'x' : `*a${at - 1}, *a${at - 1}`}]`,
    );
    expect(faults('a.yaml', bomb.join('\n'))).toEqual([
      expect.stringMatching(/^a\.yaml:\d+:\d+ the aliases stand for/),
    ]);
    for (const [file, text] of [
      ['a.yaml', '['.repeat(200_000)],
      ['a.json', '['.repeat(200_000)],
    ] as const)
      expect(complaintOf(() => documentsIn(file, text)).exit).toBe('usage');
    const latin = fileOf('latin.yaml', Buffer.from('a: 1\nb: \xe4\n', 'latin1'));
    expect(complaintOf(() => readDocuments(latin)).message).toMatch(/latin\.yaml:2 is not UTF-8 text/);
    expect(complaintOf(() => readInput('/dev/zero')).message).toBe('/dev/zero has more than 16 MB.');
    expect(complaintOf(() => readInput(join(directory, 'none'))).message).toMatch(/none does not exist/);
  });

  it('is read as it was written, as YAML or JSON', () => {
    const value = fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true });
    fc.assert(
      fc.property(value, (object) => {
        const plain: unknown = JSON.parse(JSON.stringify(object), (_, one: unknown) =>
          Number.isInteger(one) && !Number.isSafeInteger(one) ? 0.5 : one,
        );
        expect(contents('a.json', JSON.stringify(plain))).toEqual([plain]);
        expect(contents('a.yaml', stringify(plain))).toEqual([plain]);
      }),
    );
  });

  it('is complained of or read, whatever it is', () => {
    const part = fc.constantFrom(
      'a',
      ': ',
      '\n',
      '- ',
      '{',
      '}',
      '[',
      ']',
      '"',
      "'",
      '&x ',
      '*x',
      '#',
      '//',
      '/*',
      '!!',
      '---\n',
      '|\n',
      '\t',
      ',',
      '1',
    );
    fc.assert(
      fc.property(fc.array(part), fc.constantFrom('a.yaml', 'a.json', '-'), (parts, file) => {
        try {
          documentsIn(file, parts.join(''));
        } catch (error) {
          expect(error).toBeInstanceOf(Complaint);
        }
      }),
    );
  });

  it('is template text where that is taken, told from YAML by its first line', () => {
    const text = '# a\n\n name = web\nDISK=[\n  NAME = x\n]\nSCRIPT="\nNAME = y\n"\n';
    const { content, place } = readInput(fileOf('web.tmpl', text), { templateText: true });
    expect(content).toEqual({ name: 'web', template: { DISK: { NAME: 'x' }, SCRIPT: '\nNAME = y\n' } });
    expect(place('/template/SCRIPT')).toMatch(/web\.tmpl:7$/);
    expect(place('/name')).toMatch(/web\.tmpl:3$/);
    expect(readInput(fileOf('web.txt', 'template:\n  A: "B=1"'), { templateText: true }).content).toEqual({
      template: { A: 'B=1' },
    });
    const wrong = complaintOf(() => readInput(fileOf('wrong', 'A=1\nB="'), { templateText: true }));
    expect(wrong.findings).toEqual([
      { pointer: join(directory, 'wrong:2:3'), detail: 'expected a second quote to close this one' },
    ]);
  });
});

it.each([' \n', ' \n a', '\n \n', 'a\n \n', '\t\n', ' ', '\n'])(
  'a VM template with a member %j is read back as it was printed',
  (value) => {
    const template = { CPU: 1, MEMORY: 64, LIST: [], VECTOR: { A: value } };
    const path = fileOf('blanks', vmTemplateText('a', template));
    expect(readInput(path, { templateText: true }).content).toEqual({ name: 'a', template });
  },
);

it('a VM template is read back as it was printed, whatever is in it', () => {
  const text = fc.oneof(
    fc.string({
      unit: fc.constantFrom(
        'a',
        ' ',
        '"',
        '\\',
        '\n',
        '#',
        '=',
        '[',
        ']',
        ',',
        ':',
        '$',
        '\t',
        '\u009b',
        '\u202e',
        'é',
        '1',
      ),
    }),
    fc.string({ unit: 'binary' }),
  );
  const vector = fc.dictionary(fc.stringMatching(/^[A-Z][A-Z0-9_]{0,5}$/), text, { maxKeys: 3 });
  const other = fc.oneof(
    text,
    vector,
    fc.array(fc.oneof(text, vector), { maxLength: 3 }),
    fc.jsonValue({ maxDepth: 2 }).filter((value) => !/\d{16}/.test(JSON.stringify(value))),
  );
  const templates = fc.record({
    CPU: fc.constantFrom(0.5, 1, 2),
    MEMORY: fc.constantFrom(64, 512),
    more: fc.dictionary(fc.stringMatching(/^[B-D][A-Z_]{0,5}$/), other, { maxKeys: 4 }),
  });
  const path = join(directory, 'printed');
  let asText = 0;
  fc.assert(
    fc.property(
      fc.stringMatching(/^[\wé."#=-]([\wé. "#=-]{0,9}[\wé."#=-])?$/),
      templates,
      (name, { CPU, MEMORY, more }) => {
        const given = VmTemplateBody.safeParse({ CPU, MEMORY, ...more });
        fc.pre(given.success);
        const template = JSON.parse(JSON.stringify(given.data));
        const printed = vmTemplateText(name, template);
        expect(printableLines(printed)).toBe(printed);
        writeFileSync(path, printed);
        const content = Object(readInput(path, { templateText: true }).content);
        expect({ ...content, template: VmTemplateBody.parse(content.template) }).toEqual({ name, template });
        if (printed.startsWith('NAME=')) asText += 1;
      },
    ),
    { numRuns: 100 },
  );
  expect(asText).toBeGreaterThan(5);
});
