import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { ImageClaim } from '../../adapters/storage/port.js';
import { simulatedStorage } from '../../adapters/storage/simulated/simulated.js';
import { problemOf } from '../../domain/problems.js';
import type { Simulation } from '../../schemas/storage/simulation.js';

const base = mkdtempSync(join(tmpdir(), 'arcus-simulated-'));
afterAll(() => rmSync(base, { recursive: true, force: true }));
const storage = simulatedStorage(base);
const signal = new AbortController().signal;
const GiB = 1024 ** 3;
let last = 0;

const newDatastore = (told: Partial<Simulation> | string) => {
  const id = ++last;
  mkdirSync(join(base, String(id)));
  writeFileSync(join(base, String(id), 'simulation.json'), typeof told === 'string' ? told : JSON.stringify(told));
  return { id, ds_mad: 'simulated' } as const;
};
const codeOf = async (call: Promise<unknown>) =>
  problemOf(
    await call.then(
      () => undefined,
      (error: unknown) => error,
    ),
  )?.code;

describe('a simulated datastore', () => {
  it('has as much as it was told, less what was made in it', async () => {
    const datastore = newDatastore({ total: 100 * GiB });
    await storage.createEmpty({ id: 1, datastore, epoch: 1 }, { format: 'raw', size: 30 * GiB }, signal);
    await storage.copy({ id: 2, datastore, epoch: 1 }, { id: 1, datastore }, () => {}, signal);
    expect(await storage.capacity(datastore, signal)).toEqual({ total: 100 * GiB, used: 60 * GiB, free: 40 * GiB });
    expect((await storage.inventory(datastore, signal)).strange).toEqual([]);
  });

  it('fails as it was told, until it is told otherwise', async () => {
    const datastore = newDatastore({ faults: { createEmpty: 'datastore_full', capacity: 'backend_unavailable' } });
    const image: ImageClaim = { id: 1, datastore, epoch: 1 };
    const make = () => storage.createEmpty(image, { format: 'qcow2', size: GiB }, signal);
    expect(await codeOf(make())).toBe('datastore_full');
    expect(await codeOf(storage.capacity(datastore, signal))).toBe('backend_unavailable');
    writeFileSync(join(base, String(datastore.id), 'simulation.json'), '{}');
    expect(await make()).toMatchObject({ virtualSize: GiB });
  });

  it('takes its time, and stops when it is told to', async () => {
    const datastore = newDatastore({ bytes_per_second: 1 });
    const control = new AbortController();
    const making = storage.createEmpty({ id: 1, datastore, epoch: 1 }, { format: 'raw', size: GiB }, control.signal);
    control.abort(new Error('enough'));
    await expect(making).rejects.toThrow('enough');
    expect(await storage.find({ id: 1, datastore }, signal)).toBeUndefined();
  });

  it('does not answer when what it was told cannot be read', async () => {
    for (const told of ['{', '{"total": -1}'])
      expect(await codeOf(storage.capacity(newDatastore(told), signal))).toBe('backend_unavailable');
  });
});
