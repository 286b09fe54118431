import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '--', '*.md'], {
  cwd: root,
  encoding: 'utf8',
});
const files = listed.split('\n').filter((path) => path !== '' && existsSync(join(root, path)));

/** Code is shown, not followed. */
const withoutCode = (text: string): string =>
  text.replaceAll(/^```[\s\S]*?^```/gm, '').replaceAll(/`[^`\n]*`/g, 'code');

const linksOf = (text: string): string[] =>
  [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, target]) => (target === undefined ? [] : [target]));

/** The anchor that a heading gets where these files are read. */
const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{Letter}\p{Number} _-]/gu, '')
    .replaceAll(' ', '-');

const anchorsOf = (file: string): string[] =>
  [...readFileSync(file, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => anchorOf(heading));

/** Why a link leads nowhere, or null. Addresses on the web are not asked. */
function faultOf(from: string, link: string): string | null {
  if (/^[a-z]+:/.test(link)) return null;
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? join(root, from) : join(root, dirname(from), decodeURIComponent(path));
  if (relative(root, target).startsWith('..')) return `${link} leads out of the repository`;
  if (!existsSync(target)) return `${link} does not exist`;
  return anchor !== undefined && !anchorsOf(target).includes(anchor) ? `${link} has no such heading` : null;
}

describe('the documentation', () => {
  it('is there, with links to follow', () => {
    expect(files).toEqual(
      expect.arrayContaining(['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'docs/ARCHITECTURE.md']),
    );
    expect(files.flatMap((file) => linksOf(readFileSync(join(root, file), 'utf8'))).length).toBeGreaterThan(50);
  });

  it.each(files)('%s links only to what is there', (file) => {
    const links = linksOf(readFileSync(join(root, file), 'utf8'));
    expect(links.map((link) => faultOf(file, link)).filter((fault) => fault !== null)).toEqual([]);
  });

  it('knows a link that leads nowhere', () => {
    expect(faultOf('README.md', 'docs/nowhere.md')).toBe('docs/nowhere.md does not exist');
    expect(faultOf('README.md', 'CHANGELOG.md#nowhere')).toBe('CHANGELOG.md#nowhere has no such heading');
    expect(faultOf('docs/ARCHITECTURE.md', '../../elsewhere')).toBe('../../elsewhere leads out of the repository');
  });

  it('has every decision under a number of its own', () => {
    const numbers = files.flatMap((file) => /^docs\/decisions\/(\d{4})-[a-z-]+\.md$/.exec(file)?.[1] ?? []);
    expect(numbers.sort()).toEqual([...new Set(numbers)]);
  });
});
