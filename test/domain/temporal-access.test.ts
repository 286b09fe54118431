import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { temporalAccess } from '../../adapters/engine/access.js';

const directory = mkdtempSync(join(tmpdir(), 'arcus-access-'));
const file = (name: string, content: string): string => {
  writeFileSync(join(directory, name), content);
  return join(directory, name);
};
const at = { ARCUS_TEMPORAL_ADDRESS: 'temporal.test:7233' };
const ca = file('ca', 'content of ca');
const cert = file('cert', 'content of cert');
const key = file('key', 'content of key');
afterAll(() => rmSync(directory, { recursive: true }));

describe('how a Temporal is reached', () => {
  afterEach(() => vi.useRealTimers());

  it.each([
    ['nothing but an address', {}, false],
    ['TLS alone', { ARCUS_TEMPORAL_TLS: 'on' }, true],
    ['an authority', { ARCUS_TEMPORAL_TLS_CA: ca }, true],
    ['a certificate', { ARCUS_TEMPORAL_TLS_CERT: cert, ARCUS_TEMPORAL_TLS_KEY: key }, true],
    ['a name', { ARCUS_TEMPORAL_TLS_SERVER_NAME: 'other.test' }, true],
    ['an API key', { ARCUS_TEMPORAL_API_KEY: 'k' }, true],
    ['TLS off', { ARCUS_TEMPORAL_TLS: 'off' }, false],
  ] as const)('%s: encrypted or not', (_, settings, encrypted) => {
    expect(temporalAccess({ ...at, ...settings }).tls !== undefined).toBe(encrypted);
  });

  it.each([
    ['a certificate without its key', { ARCUS_TEMPORAL_TLS_CERT: cert }, /go together/],
    ['a key without its certificate', { ARCUS_TEMPORAL_TLS_KEY: key }, /go together/],
    ['an API key in clear', { ARCUS_TEMPORAL_TLS: 'off', ARCUS_TEMPORAL_API_KEY: 'secret' }, /over TLS only/],
    ['TLS off, and an authority', { ARCUS_TEMPORAL_TLS: 'off', ARCUS_TEMPORAL_TLS_CA: ca }, /is off/],
    ['a file that is not there', { ARCUS_TEMPORAL_TLS_CA: '/nowhere' }, /ARCUS_TEMPORAL_TLS_CA .*ENOENT/],
    ['a key file that is not there', { ARCUS_TEMPORAL_API_KEY_FILE: '/nowhere' }, /API_KEY_FILE .*ENOENT/],
    ['one namespace for both', { ARCUS_TEMPORAL_NAMESPACE: 'arcus-ticks' }, /two namespaces/],
  ] as const)('%s is refused with a sentence, which holds no secret', (_, settings, sentence) => {
    const access = () => temporalAccess({ ...at, ...settings });
    expect(access).toThrow(sentence);
    expect(access).not.toThrow(/secret/);
  });

  it('gives on what the files hold', () => {
    const settings = { ARCUS_TEMPORAL_TLS_CA: ca, ARCUS_TEMPORAL_TLS_CERT: cert, ARCUS_TEMPORAL_TLS_KEY: key };
    const { tls } = temporalAccess({ ...at, ...settings });
    expect(String(tls?.serverRootCACertificate)).toBe('content of ca');
    expect(String(tls?.clientCertPair?.crt)).toBe('content of cert');
    expect(String(tls?.clientCertPair?.key)).toBe('content of key');
  });

  it('reads an API key’s file again, and keeps the key while the file is away', () => {
    vi.useFakeTimers();
    const apiKeyFile = file('api-key', 'first\n');
    const { apiKey } = temporalAccess({ ...at, ARCUS_TEMPORAL_API_KEY_FILE: apiKeyFile });
    expect(apiKey?.()).toBe('first');
    writeFileSync(apiKeyFile, 'second\n');
    expect(apiKey?.()).toBe('first');
    vi.advanceTimersByTime(30_001);
    expect(apiKey?.()).toBe('second');
    rmSync(apiKeyFile);
    vi.advanceTimersByTime(30_001);
    expect(apiKey?.()).toBe('second');
  });
});
