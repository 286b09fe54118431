import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { createSealer, type Sealer } from '../../adapters/process/sealer.js';
import { problemOf } from '../../domain/problems.js';
import { firstKeys, readKeys } from '../../domain/sealed.js';

const directories: string[] = [];
let home: string;
let sealer: Sealer;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'arcus-sealer-'));
  directories.push(home);
  sealer = sealerIn(home);
});
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true });
});
const sealerIn = (ARCUS_HOME: string, ARCUS_SECRETS_KEY_FILE?: string): Sealer =>
  createSealer({ ARCUS_HOME, ARCUS_SECRETS_KEY_FILE });
const place = { kind: 'datastore', id: 7, field: 'secret key' };
const refusal = (call: () => unknown) => {
  try {
    call();
    return null;
  } catch (error) {
    return problemOf(error)?.message ?? String(error);
  }
};

describe('a secret', () => {
  it('is opened by whoever has the key, where it stands, and nowhere else', () => {
    const sealed = sealer.seal('ein Geheimnis: ü', place);
    expect(JSON.stringify(sealed)).not.toContain('Geheimnis');
    expect(sealerIn(home).open(sealed, place)).toBe('ein Geheimnis: ü');
    for (const other of [{ id: 8 }, { kind: 'host' }, { field: 'access key' }])
      expect(refusal(() => sealer.open(sealed, { ...place, ...other }))).toMatch(/is that of something else/);
    const box = Buffer.from(sealed.box, 'base64');
    for (const at of [0, 14, box.length - 1]) {
      const changed = Buffer.from(box);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      expect(refusal(() => sealer.open({ ...sealed, box: changed.toString('base64') }, place))).toMatch(/was changed/);
    }
    expect(refusal(() => sealer.open({ ...sealed, box: box.subarray(0, 20).toString('base64') }, place))).toMatch(
      /was changed/,
    );
    expect(refusal(() => sealerIn(mkdtempSync(join(home, 'other-'))).open(sealed, place))).toMatch(
      /sealed with key \w+, which is not in/,
    );
  });

  it('is never sealed twice alike', () => {
    expect(sealer.seal('same', place).box).not.toBe(sealer.seal('same', place).box);
  });
});

describe('keys', () => {
  it('are in a file that its owner alone reads, the first of several who make it', () => {
    expect(sealer.current()).toBeNull();
    const [one, other] = [sealerIn(home), sealerIn(home)];
    const [first, second] = [one.seal('a', place), other.seal('b', place)];
    expect(first.key).toBe(second.key);
    expect(statSync(join(home, 'secrets.key')).mode & 0o777).toBe(0o600);
  });

  it('are added to those that there are, which go on to open what is older', () => {
    const old = sealer.seal('a', place);
    const added = sealer.addKey();
    expect(sealer.current()).toBe(added);
    expect(sealer.seal('b', place).key).toBe(added);
    expect(sealer.open(old, place)).toBe('a');
    expect(sealer.names()).toEqual([old.key, added]);
    expect(readKeys(readFileSync(join(home, 'secrets.key'), 'utf8'))).toHaveLength(2);
    chmodSync(join(home, 'secrets.key'), 0o400);
    // Root may write what it may not.
    if (process.getuid?.() !== 0) expect(refusal(() => sealer.addKey())).toMatch(/cannot be written/);
  });

  it('have to be there where a setting names them', () => {
    const file = join(home, 'given');
    expect(refusal(() => sealerIn(home, file).seal('a', place))).toMatch(/cannot be read.*it is not there/);
    const secret = Buffer.alloc(32, 7).toString('base64');
    writeFileSync(file, firstKeys({ name: 'ours', secret }));
    expect(sealerIn(home, file).seal('a', place).key).toBe('ours');
    for (const [text, reason] of [
      ['ours', /Line 1/],
      [`# fine\nours ${secret}x`, /Line 2/],
      [`ours ${secret}\nours ${secret}`, /one name/],
    ] as const) {
      writeFileSync(file, text);
      expect(refusal(() => sealerIn(home, file).seal('a', place))).toMatch(reason);
    }
  });
});
