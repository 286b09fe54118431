import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { exitCodes } from '../../cli/shell/complaint.js';
import { reference } from '../../cli/shell/reference.js';

it('docs/cli.md is what the commands say of themselves; write it anew with node dist/cli/write-reference.js', () => {
  expect(readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8')).toBe(reference());
});

it('the reference has every exit code, and an example of every command', () => {
  const text = reference();
  for (const code of Object.values(exitCodes)) expect(text).toMatch(new RegExp(`^\\| ${code} \\| \\w`, 'm'));
  const commands = text.split(/^#{2,3} (?=arcus )/m).slice(1);
  const leaves = commands.filter((section) => section.includes('```'));
  expect(leaves.length).toBeGreaterThan(45);
  for (const section of leaves) expect(section).toMatch(new RegExp(`\\$ .*${section.split('\n')[0]}`));
});
