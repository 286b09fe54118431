import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { beforeAll, describe, expect, it } from 'vitest';
import { storages } from '../../adapters/storage/storages.js';
import { ownDirectory } from '../support/directories.js';
import { onDisk } from '../support/disks.js';
import { allHere } from '../support/no-storages.js';
import { launchBuilt } from '../support/processes.js';
import { ensurePrograms } from '../support/programs.js';

const MiB = 1024 ** 2;
const { signal } = new AbortController();
const disks = 30;

beforeAll(() => ensurePrograms('disks'));

describe.each(onDisk)(
  'a process that makes disks of VMs and keeps what their guests are told (%s), killed again and again,',
  (ds_mad) => {
    it('leaves each whole or not at all, and the next one makes the rest', async () => {
      const base = ownDirectory();
      const storage = storages({ ARCUS_HOME: base, ARCUS_DATASTORES: base }, allHere).of({ ds_mad });
      await storage.createEmpty(
        { id: 1, datastore: { id: 1, ds_mad }, epoch: 1 },
        { format: 'raw', size: MiB },
        signal,
      );
      const datastore = { id: 2, ds_mad };
      const there = async (): Promise<number[]> => {
        const found = [];
        for (let vm = 1; vm <= disks; vm++) {
          const disk = await storage.findDisk({ vm, disk: 0, datastore }, signal);
          if (disk === undefined) continue;
          expect(disk).toEqual({ format: 'qcow2', virtualSize: MiB });
          const path = storage.pathOf({ vm, disk: 0, datastore });
          if (path !== null) execaSync('qemu-img', ['check', '-q', '-f', 'qcow2', path]);
          found.push(vm);
        }
        return found;
      };
      /** Whatever is there of what guests are told is whole, and of one epoch for each. */
      const told = async (): Promise<number[]> => {
        const { contexts } = await storage.inventory(datastore, signal);
        const names = readdirSync(join(base, '2', 'vms'), { recursive: true, encoding: 'utf8' });
        for (const name of names.filter((one) => /^\d+\/\d+\/context\/context.sh$/.test(one))) {
          const text = readFileSync(join(base, '2', 'vms', name), 'utf8');
          expect(text).toBe(`EPOCH='${name.split('/')[1]}'\n`.repeat(20_000));
        }
        const epochs = names.filter((one) => /^\d+\/\d+$/.test(one)).map((one) => one.split('/')[0]);
        expect(new Set(epochs).size).toBe(epochs.length);
        return contexts.map(({ vm }) => vm);
      };
      const start = (epoch: number) =>
        launchBuilt('test/contracts/make-disks.js', [base, ds_mad, String(disks), String(epoch)]);
      for (let epoch = 1; epoch <= 4; epoch++) {
        const run = start(epoch);
        const until = epoch * 5;
        // At any moment of what comes after.
        run.process.stdout?.on('data', () => {
          if (run.text().includes(`made ${until}\n`)) setTimeout(() => run.process.kill('SIGKILL'), Math.random() * 30);
        });
        await run.exit;
        const found = await there();
        expect(found).toEqual(found.map((_, at) => at + 1));
        expect(await told()).toEqual(expect.arrayContaining(found));
      }
      const last = start(5);
      expect(await last.exit, last.text()).toBe(0);
      expect(await there()).toHaveLength(disks);
      expect(await told()).toHaveLength(disks);
      const names = readdirSync(join(base, '2', 'vms'), { recursive: true, encoding: 'utf8' });
      expect(names.filter((name) => statSync(join(base, '2', 'vms', name)).isDirectory()).sort()).toEqual(
        Array.from({ length: disks }, (_, at) => [
          `${at + 1}`,
          `${at + 1}/disk.0`,
          `${at + 1}/5`,
          `${at + 1}/5/context`,
        ])
          .flat()
          .sort(),
      );
    });
  },
);
