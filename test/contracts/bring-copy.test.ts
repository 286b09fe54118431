import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { bringCopy, type Summed } from '../../adapters/storage/bring-copy.js';
import { fsStorage } from '../../adapters/storage/fs/fs.js';
import type { Storage } from '../../adapters/storage/port.js';
import { problemOf } from '../../domain/problems.js';
import { sha256Of } from '../support/byte-server.js';
import { noise } from '../support/disks.js';
import { ensurePrograms } from '../support/programs.js';

// Two machines are two directories here, each by an adapter of its own.

const mebi = 2 ** 20;
const directory = mkdtempSync(join(tmpdir(), 'arcus-copies-'));
const [here, there] = [join(directory, 'here'), join(directory, 'there')];
const [source, target] = [fsStorage(here), fsStorage(there)];
beforeAll(() => ensurePrograms('disks'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const signal = () => AbortSignal.timeout(60_000);
const quiet = (): void => {};
const from = (id: number) => ({ id, datastore: { id: 1, ds_mad: 'fs' as const } });
const claim = (id: number, epoch = 1) => ({ id, epoch, datastore: { id: 100, ds_mad: 'fs' as const } });
const diskOf = (id: number): Buffer => readFileSync(join(there, '100', 'images', `${id}`, 'disk'));

/** An image of these bytes, which are kept as they are. */
async function kept(id: number, bytes: Buffer): Promise<void> {
  async function* given(): AsyncGenerator<Uint8Array> {
    yield bytes;
  }
  const [most, total] = [bytes.length, bytes.length];
  await source.append(
    { ...from(id), epoch: 1 },
    { offset: 0, bytes: given(), version: null, most, total },
    quiet,
    signal(),
  );
  const wish = { content: 'file', mostBytes: most, mostVirtual: most } as const;
  await source.keep({ ...from(id), epoch: 1 }, wish, quiet, signal());
}

/** Where bytes were read from. */
const begun: number[] = [];
const watched: Storage = {
  ...source,
  read: (image, offset, until) => {
    begun.push(offset);
    return source.read(image, offset, until);
  },
};

/** Brings an image, and breaks off behind so many bytes, if any; returns what was summed up by then. */
async function bring(
  id: number,
  { epoch = 1, version = '3', summed = null as Summed | null, until = Number.POSITIVE_INFINITY } = {},
): Promise<Summed | null> {
  begun.length = 0;
  const stop = new AbortController();
  let last: Summed | null = null;
  const reached = (bytes: number, sum: () => string): void => {
    last = { bytes, sha256: sum() };
    if (bytes >= until) stop.abort(new Error('broken off'));
  };
  const asked = { from: from(id), version, summed, reached };
  const bringing = bringCopy({ source: watched, target }, claim(id, epoch), asked, quiet, stop.signal);
  if (until === Number.POSITIVE_INFINITY) await bringing;
  else await expect(bringing).rejects.toThrow('broken off');
  return last;
}
const bytes = noise(8 * mebi);

it('goes on behind what an earlier try has read, and is whole', async () => {
  await kept(1, bytes);
  const summed = await bring(1, { until: 3 * mebi });
  expect(summed?.bytes).toBeGreaterThanOrEqual(3 * mebi);
  await bring(1, { epoch: 2, summed });
  expect(begun).toEqual([summed?.bytes]);
  expect(sha256Of(diskOf(1))).toBe(sha256Of(bytes));
  // Done again it is done.
  await bring(1, { epoch: 3 });
  expect(begun).toEqual([]);
});

it('begins anew where what lies there is not what was read, is of another state of the image, or was summed up by nobody', async () => {
  for (const [id, spoil, more] of [
    [2, true, {}],
    [3, false, { version: '4' }],
    [4, false, { summed: null }],
  ] as const) {
    await kept(id, bytes);
    const summed = await bring(id, { until: 3 * mebi });
    const staging = join(there, '100', 'staging', `${id}`);
    const [piece = ''] = readdirSync(staging).filter((name) => readFileSync(join(staging, name)).length > mebi);
    if (spoil) {
      const lying = readFileSync(join(staging, piece));
      lying.writeUInt32LE((lying.readUInt32LE(mebi) ^ 1) >>> 0, mebi);
      writeFileSync(join(staging, piece), lying);
    }
    await bring(id, { epoch: 2, summed, ...more });
    expect(begun).toEqual([0]);
    expect(sha256Of(diskOf(id))).toBe(sha256Of(bytes));
  }
});

it.each([
  ['a qcow2 that stands on another file', Buffer.from('514649fb00000003000000000000006800000009', 'hex')],
  ['something packed', Buffer.from('1f8b0800000000000003', 'hex')],
])('what is raw stays so though a guest has written the head of %s into it', async (_, head) => {
  const id = head[0] === 0x1f ? 5 : 6;
  const raw = Buffer.concat([head, noise(mebi - head.length)]);
  await kept(id, raw);
  await bring(id);
  expect(diskOf(id).equals(raw)).toBe(true);
  expect(await target.find(claim(id), signal())).toMatchObject({ format: 'raw', bytes: mebi, virtualSize: mebi });
});

it('is a qcow2 where the image is one, and nothing where there is no image', async () => {
  await source.createEmpty({ ...from(7), epoch: 1 }, { format: 'qcow2', size: 16 * mebi }, signal());
  await bring(7);
  expect(await target.find(claim(7), signal())).toMatchObject({ format: 'qcow2', virtualSize: 16 * mebi });
  const failed = await bring(8).then(
    () => undefined,
    (error: unknown) => problemOf(error)?.code,
  );
  expect(failed).toBe('not_found');
});
