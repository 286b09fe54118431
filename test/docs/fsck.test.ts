import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { flaws } from '../../domain/consistency/flaws.js';
import { FindingCode } from '../../schemas/consistency/consistency.js';

const page = readFileSync(new URL('../../docs/fsck.md', import.meta.url), 'utf8');

/** What the table is to say, from the one in the domain: a row a finding, in its own words. */
const rows = FindingCode.options.map((code) => {
  const { what, repair, advice } = flaws[code];
  return [`\`${code}\``, what, repair ?? `no safe repair: ${advice}`].map((cell) => cell.replaceAll('<', '&lt;'));
});

it('every finding of a check is in docs/fsck.md, with what its repair does and what a person can do', () => {
  const [, section = ''] = /<!-- findings:[^>]*-->([\s\S]*?)<!-- \/findings -->/.exec(page) ?? [];
  const written = section
    .trim()
    .split('\n')
    .map((line) => line.split('|').slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim()));
  expect(written.slice(2)).toEqual(rows);
});
