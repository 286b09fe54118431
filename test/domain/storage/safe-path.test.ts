import { expect, it } from 'vitest';
import { isPlainPath, isWithin } from '../../../domain/storage/safe-path.js';

it.each([
  ['/var/images', '/var/images', true],
  ['/var/images', '/var/images/a', true],
  ['/var/images/', '/var/images/a', true],
  ['/var/images', '/var/images-of-others/a', false],
  ['/var/images', '/var', false],
  ['/', '/etc/passwd', true],
])('what is within %s: %s %j', (directory, path, within) => {
  expect(isWithin(directory, path)).toBe(within);
});

it.each([
  ['/a/b', true],
  ['/a/../b', false],
  ['/a//b', false],
  ['a/b', false],
  ['/a/./b', false],
  ['/a\0b', false],
])('a plain path: %j %j', (path, plain) => {
  expect(isPlainPath(path)).toBe(plain);
});
