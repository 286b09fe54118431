import { describe, expect, it } from 'vitest';
import { isForeign, isLoopback, isOurName, type RequestSource } from '../../../schemas/common/request-source.js';

const host = 'arcus.example.com:9869';
const page = `http://${host}`;

describe('a request that changes something', () => {
  const cases: readonly [what: string, foreign: boolean, Omit<RequestSource, 'method'>][] = [
    ['of a program', false, { host }],
    ['of a page of ours', false, { host, origin: page, site: 'same-origin' }],
    ['of a page of ours, over plain HTTP', false, { host, origin: page }],
    [
      'of a page of ours, behind a proxy that ends TLS',
      false,
      { host: 'arcus.example.com', origin: 'https://arcus.example.com' },
    ],
    [
      'of a page of ours, behind one that says the port',
      false,
      { host: 'arcus.example.com:443', origin: 'https://arcus.example.com' },
    ],
    [
      'of a page of ours, behind one that says another host, as the browser says',
      false,
      { host: 'up', origin: page, site: 'same-origin' },
    ],
    ['typed by hand', false, { host, site: 'none' }],
    ['of another site', true, { host, site: 'cross-site' }],
    ['of a sister site', true, { host, origin: page, site: 'same-site' }],
    ['of another site, over plain HTTP', true, { host, origin: 'http://evil.example' }],
    ['of another port of this machine', true, { host, origin: 'http://arcus.example.com:8080' }],
    ['of a name that ours begins with', true, { host, origin: 'http://arcus.example.co' }],
    ['of a page without an origin: sandboxed, or from a file', true, { host, origin: 'null' }],
    ['of a browser that says only the page', true, { host, referer: 'http://evil.example/page' }],
    ['of a page of ours in such a browser', false, { host, referer: `${page}/docs` }],
    ['of an extension', true, { host, origin: 'moz-extension://x' }],
    ['to nobody by name', true, { origin: page }],
  ];
  it.each(cases)('%s: foreign is %s', (_what, foreign, source) => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) expect(isForeign({ method, ...source })).toBe(foreign);
    for (const method of ['GET', 'HEAD']) expect(isForeign({ method, ...source })).toBe(false);
  });
});

it('is ours by address, as localhost, and by the names that were told', () => {
  const ours = (given: string | undefined, names: string[] = [], loopback = true) =>
    isOurName(given, { names, loopback });
  for (const own of ['127.0.0.1:9869', 'localhost:1', 'sub.localhost', '[::1]:80', '192.0.2.7', undefined])
    expect(ours(own), own).toBe(true);
  for (const other of ['rebound.evil.example:9869', 'localhost.evil.example', '127.0.0.1.evil.example', 'a b'])
    expect(ours(other), other).toBe(false);
  expect(ours('Arcus.example.com:9869', ['arcus.example.com'])).toBe(true);
  expect(ours('evil.example', ['arcus.example.com'], false)).toBe(false);
  expect(ours('whatever.example', [], false)).toBe(true);
  expect(['127.0.0.1', '127.9.9.9', '::1', 'localhost'].every(isLoopback)).toBe(true);
  expect(['0.0.0.0', '::', '192.0.2.1', 'arcus'].some(isLoopback)).toBe(false);
});
