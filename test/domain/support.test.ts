import { expect, it } from 'vitest';
import { outOfSupport, readsOut } from '../../runtime/doctor/support.js';

const on = (date: string): Date => new Date(`${date}T12:00:00Z`);

it.each([
  ['MongoDB', '6.0.5', '2025-07-31', null],
  ['MongoDB', '6.0.5', '2025-08-01', 'use MongoDB 7.0 or 8.0'],
  ['MongoDB', '7.0.30', '2026-11-28', null],
  ['MongoDB', '7.0.30', '2028-01-01', 'use MongoDB 8.0'],
  ['MongoDB', '8.0.32', '2030-01-01', 'use a newer MongoDB'],
  ['MongoDB', '9.0.0', '2040-01-01', null],
  ['Node.js', '20.20.0', '2026-04-30', null],
  ['Node.js', '20.20.0', '2026-05-01', 'use Node.js 22 or 24'],
  ['Node.js', '24.1.0', '2026-11-28', null],
] as const)('%s %s on %s: %s', (product, version, date, advice) => {
  const notice = outOfSupport(product, version, on(date));
  expect(notice?.advice ?? null).toBe(advice);
  if (notice) expect(notice.found).toMatch(`${product} ${version} is out of support since 20`);
});

it.each([
  ['6.0.5', true],
  ['6.0.26', true],
  ['6.0.27', false],
  ['7.0.28', false],
  ['8.0.16', true],
  ['8.0.17', false],
  ['8.2.2', true],
  ['9.0.0', false],
])('MongoDB %s reads out its memory: %s', (version, does) => {
  expect(readsOut(version) !== null).toBe(does);
});
