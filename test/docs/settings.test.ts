import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { expect, it } from 'vitest';
import { Settings } from '../../runtime/settings.js';

const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');

/** The README's table of settings, from the schema: a row a setting, with its default and its meaning in the schema's words. */
function settingsTable(): string {
  const defaults: Record<string, unknown> = Settings.parse({});
  const rows = Object.entries(Settings.shape).map(([name, field]) => {
    const value = defaults[name];
    const text = Array.isArray(value) ? value.join(',') : String(value ?? '').replace(homedir(), '~');
    return `| \`${name}\` | ${text === '' ? '' : `\`${text}\``} | ${field.description} |`;
  });
  return ['| Variable | Default | Meaning |', '|---|---|---|', ...rows].join('\n');
}

it('every setting is in the README, with its default and its meaning as the schemas have them', () => {
  const [, shown] = /<!-- settings:[^>]*-->\n([\s\S]*?)\n<!-- \/settings -->/.exec(readme) ?? [];
  expect(shown?.trim()).toBe(settingsTable());
});
