import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { expect, it } from 'vitest';
import { Settings } from '../../runtime/settings.js';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

/** What the README's table of settings is to say, from the schema: a row a setting, in its own words. */
function settingsRows(): string[][] {
  const defaults: Record<string, unknown> = Settings.parse({});
  return Object.entries(Settings.shape).map(([name, field]) => {
    const value = defaults[name];
    const text = Array.isArray(value) ? value.join(',') : String(value ?? '').replace(homedir(), '~');
    return [`\`${name}\``, text === '' ? '' : `\`${text}\``, field.description ?? ''];
  });
}

it('every setting is in the README, with its default and its meaning as the schemas have them', () => {
  const [, section = ''] = /<!-- settings:[^>]*-->([\s\S]*?)<!-- \/settings -->/.exec(readme) ?? [];
  const rows = section
    .trim()
    .split('\n')
    .map((line) => line.split('|').slice(1, -1))
    .map((cells) => cells.map((cell) => cell.trim()));
  expect(rows.slice(2)).toEqual(settingsRows());
});
