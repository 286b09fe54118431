import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  fetchedLines,
  formToRaise,
  lineOf,
  linesFor,
  type MongodData,
  opens,
} from '../../runtime/servers/mongod-lines.js';

const linux6 = { platform: 'linux', release: '6.1.0-18-amd64' };
const linux7 = { platform: 'linux', release: '7.0.1' };

describe('which mongod serves a home', () => {
  it.each([
    ['a new home', null, linux6, ['8.0', '7.0', '6.0']],
    ['a new home on Linux 7, which MongoDB 8 refuses', null, linux7, ['7.0', '6.0']],
    [
      'a new home on a macOS of whatever number',
      null,
      { platform: 'darwin', release: '25.0.0' },
      ['8.0', '7.0', '6.0'],
    ],
    ['data of the wheel', { version: '6.0.5', compatibility: '6.0' }, linux6, ['7.0', '6.0']],
    ['the same, served once by 7.0', { version: '7.0.30', compatibility: '6.0' }, linux6, ['7.0', '6.0']],
    ['the same, raised', { version: '7.0.30', compatibility: '7.0' }, linux6, ['8.0', '7.0']],
    ['the same on Linux 7', { version: '7.0.30', compatibility: '7.0' }, linux7, ['7.0']],
    ['served once by 8.0', { version: '8.0.32', compatibility: '7.0' }, linux6, ['8.0', '7.0']],
    ['data of 8.0', { version: '8.0.32', compatibility: '8.0' }, linux6, ['8.0']],
    ['data of 8.0 on Linux 7: none', { version: '8.0.32', compatibility: '8.0' }, linux7, []],
    ['data of a newer one on PATH: none', { version: '8.2.3', compatibility: '8.2' }, linux6, []],
  ] as const)('%s', (_, data, system, lines) => {
    expect(linesFor(data, system)).toEqual(lines);
  });

  it.each([
    ['6.0', '6.0', true],
    ['7.0', '6.0', true],
    ['8.0', '6.0', false],
    ['8.0', '7.0', true],
    ['6.0', '7.0', false],
    ['8.2', '8.0', true],
    ['8.0', '8.2', false],
    ['7.3', '6.0', true],
  ])('a server of %s opens data of %s: %s', (line, compatibility, answer) => {
    expect(opens(line, compatibility)).toBe(answer);
  });

  it.each([
    ['a new home', null, '8.0.32', '8.0', null],
    ['the first start on a newer line', { version: '6.0.5', compatibility: '6.0' }, '7.0.30', '6.0', null],
    ['the second', { version: '7.0.30', compatibility: '6.0' }, '7.0.31', '6.0', '7.0'],
    ['what is raised', { version: '7.0.30', compatibility: '7.0' }, '7.0.30', '7.0', null],
    ['back on the older line', { version: '7.0.30', compatibility: '6.0' }, '6.0.5', '6.0', null],
    ['a line that only PATH has', { version: '8.2.3', compatibility: '8.0' }, '8.2.3', '8.0', null],
  ] as const)('%s: to which form', (_, before, version, compatibility, form) => {
    expect(formToRaise(before, { version, compatibility })).toBe(form);
  });

  it('whatever can be had at each start, the data are opened, go up a line at a time, and reach the newest', () => {
    fc.assert(
      fc.property(fc.array(fc.subarray([...fetchedLines]), { maxLength: 12 }), (starts) => {
        let data: MongodData | null = null;
        // Whoever has served them once is in the cache.
        const cached = new Set<string>();
        for (const reachable of [...starts, ...Array.from({ length: 6 }, () => fetchedLines)]) {
          const line = linesFor(data, linux6).find(
            (wanted) => cached.has(wanted) || reachable.some((r) => r === wanted),
          );
          if (line === undefined) {
            expect(data, 'a home that has started once starts again').toBeNull();
            continue;
          }
          cached.add(line);
          if (data !== null) expect(opens(line, data.compatibility)).toBe(true);
          const before: MongodData | null = data;
          const served: MongodData = { version: `${line}.1`, compatibility: data?.compatibility ?? line };
          const form = formToRaise(before, served);
          data = { version: served.version, compatibility: form ?? served.compatibility };
        }
        expect(data && [lineOf(data.version), data.compatibility]).toEqual(['8.0', '8.0']);
      }),
    );
  });
});
