import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ContextFile, DatastoreTarget, DisksClaim, Storage } from '../../adapters/storage/port.js';
import { problemOf } from '../../domain/problems.js';
import { ownDirectory } from '../support/directories.js';
import { noise } from '../support/disks.js';
import type { StorageWorld } from './storage-contract.js';

const MiB = 1024 ** 2;

/** What every storage adapter that takes disks of VMs must do with what their guests are told. */
export function contextContract(name: string, make: () => StorageWorld): void {
  describe(`${name} storage, of what guests are told,`, () => {
    let world: StorageWorld;
    let storage: Storage;
    let datastore: DatastoreTarget;
    let last = 0;
    const signal = (): AbortSignal => new AbortController().signal;

    beforeAll(() => {
      world = make();
      ({ storage } = world);
      datastore = world.newDatastore();
    });
    afterAll(() => world.close());

    const newVm = (epoch = 1): DisksClaim => ({ vm: ++last, datastore, epoch });
    const later = (claim: DisksClaim): DisksClaim => ({ ...claim, epoch: claim.epoch + 1 });
    const told = (text = 'A=1\n'): ContextFile[] => [{ name: 'context.sh', text }];
    const fileOf = (name: string, bytes: Buffer, size = bytes.length, piece = 100_000, wait = 0): ContextFile => ({
      ...{ name, size },
      async *bytes(stopped) {
        for (let at = 0; at < bytes.length; at += piece) {
          if (wait > 0) await sleep(wait, undefined, { signal: stopped });
          yield bytes.subarray(at, at + piece);
        }
      },
    });
    const keep = (claim: DisksClaim, files: readonly ContextFile[]) => storage.keepContext(claim, files, signal());
    const refusal = async (call: Promise<unknown>) =>
      problemOf(
        await call.then(
          () => undefined,
          (error: unknown) => error,
        ),
      )?.code;
    /** Epochs of what a guest is told, as the inventory says it. */
    const epochsOf = async ({ vm }: DisksClaim): Promise<number[]> => {
      const { contexts, strange } = await storage.inventory(datastore, signal());
      expect(strange).toEqual([]);
      return contexts.flatMap((one) => (one.vm === vm ? [one.epoch] : []));
    };
    /** Names below the directory of a VM, and in the way of what is being removed. */
    const namesOf = ({ vm }: DisksClaim): string[] =>
      readdirSync(`${world.base}/${datastore.id}`, { recursive: true, encoding: 'utf8' })
        .filter((path) => path.startsWith(`vms/${vm}/`) || path.startsWith(`gone/vm.${vm}.`))
        .filter((path) => !/\/at\.\d+$/.test(path));
    /** What the files have, where there are bytes. */
    const expectFiles = (path: string | null, files: Record<string, string | Buffer>): void => {
      if (!storage.can.read) {
        expect(path).toBeNull();
        return;
      }
      if (path === null) throw new Error('there is no directory');
      expect(readdirSync(path).sort()).toEqual(Object.keys(files).sort());
      for (const [file, bytes] of Object.entries(files)) {
        expect(readFileSync(join(path, file)).equals(Buffer.from(bytes))).toBe(true);
        expect(statSync(join(path, file)).mode & 0o777).toBe(0o600);
      }
      expect(statSync(path).mode & 0o777).toBe(0o700);
    };

    it('keeps it once, however often it is asked, for its owner alone, below its epoch', async () => {
      const vm = newVm(5);
      const bytes = noise(300_000);
      const files = [...told(), fileOf('init.sh', bytes), fileOf('with blanks é.conf', Buffer.alloc(0))];
      const { path, bring } = await keep(vm, files);
      expectFiles(path, { 'context.sh': 'A=1\n', 'init.sh': bytes, 'with blanks é.conf': '' });
      expect(path === null || path.endsWith(`/vms/${vm.vm}/5/context`)).toBe(true);
      expect(await keep(vm, told('A=2\n'))).toMatchObject({ path });
      expectFiles(path, { 'context.sh': 'A=1\n', 'init.sh': bytes, 'with blanks é.conf': '' });
      if (bring) {
        const into = ownDirectory();
        await bring(into, signal());
        expectFiles(into, { 'context.sh': 'A=1\n', 'init.sh': bytes, 'with blanks é.conf': '' });
      }
      expect(await epochsOf(vm)).toEqual([5]);
    });

    it('keeps beside it what the guest is booted by, which that never finds', async () => {
      const vm = newVm();
      const kernel = noise(200_000);
      const boot: ContextFile[] = [{ ...fileOf('kernel', kernel), part: 'boot' }];
      const both = await keep(vm, [...told(), ...boot]);
      expectFiles(both.path, { 'context.sh': 'A=1\n' });
      expectFiles(both.boot ?? null, { kernel });
      expect(await keep(vm, [...told(), ...boot])).toMatchObject({ ...(both.boot && { boot: both.boot }) });
      const alone = await keep(later(vm), boot);
      expect(alone.path).toBeNull();
      expectFiles(alone.boot ?? null, { kernel });
      if (both.boot !== undefined) expect(existsSync(both.boot)).toBe(false);
      expect((await keep(later(later(vm)), told())).boot).toBeUndefined();
      expect(await epochsOf(vm)).toEqual([3]);
    });

    it('has that of a later epoch alone, and of none an older one', async () => {
      const vm = newVm();
      const first = await keep(vm, told('A=1\n'));
      const second = await keep(later(later(vm)), told('A=3\n'));
      expectFiles(second.path, { 'context.sh': 'A=3\n' });
      if (first.path !== null) expect(existsSync(first.path)).toBe(false);
      expect(await refusal(keep(vm, told()))).toBe('taken');
      expect(await refusal(keep(later(vm), []))).toBe('taken');
      expect(await epochsOf(vm)).toEqual([3]);
    });

    it('removes it where there is nothing to tell, and with the disks of the VM', async () => {
      const [vm, other] = [newVm(), newVm()];
      await keep(other, told());
      for (const away of [
        () => keep(vm, []),
        () => keep(later(vm), []),
        () => storage.removeDisks(later(vm), signal()),
      ]) {
        await keep(vm.epoch === 1 ? vm : later(vm), told()).catch(() => {});
        await away();
        await away();
        expect(namesOf(vm)).toEqual([]);
        expect(await epochsOf(vm)).toEqual([]);
      }
      await storage.removeDisk({ ...other, disk: 0 }, signal());
      expect(await epochsOf(other)).toEqual([1]);
    });

    it('is one for two who ask at once, and the later one’s', async () => {
      for (let round = 0; round < 5; round++) {
        const vm = newVm();
        const asked = [vm, vm, later(vm)].map((claim) => keep(claim, told(`EPOCH=${claim.epoch}\n`)));
        const answers = await Promise.allSettled(asked);
        for (const answer of answers.slice(0, 2))
          if (answer.status === 'rejected') expect(problemOf(answer.reason)?.code).toBe('taken');
        expect(answers[2]).toMatchObject({ status: 'fulfilled' });
        expect(await epochsOf(vm)).toEqual([2]);
        expect(namesOf(vm).filter((path) => path.includes('told.'))).toEqual([]);
      }
    });

    it('one that is at it when a later claim removes it leaves nothing', async () => {
      for (let wait = 0; wait < 20; wait += 2) {
        const vm = newVm();
        const late = refusal(keep(vm, [...told(), fileOf('slow', noise(MiB), MiB, 100_000, 1)]));
        await sleep(wait);
        await storage.removeDisks(later(vm), signal());
        expect([undefined, 'taken']).toContain(await late);
        expect(namesOf(vm)).toEqual([]);
      }
    });

    it('stops when it is told to, leaves no half, and is whole at the next try', async () => {
      for (let wait = 0; wait < 12; wait += 3) {
        const vm = newVm();
        const control = new AbortController();
        const slow = [...told(), fileOf('slow', noise(MiB), MiB, 100_000, 2)];
        const stopped = storage.keepContext(vm, slow, control.signal).then(
          () => 'kept',
          (error: unknown) => (error instanceof Error ? error.message : 'nothing'),
        );
        await sleep(wait);
        control.abort(new Error('enough'));
        // Counted alone, bytes take no time.
        expect(storage.can.read ? ['enough'] : ['kept', 'enough']).toContain(await stopped);
        expect(namesOf(vm).filter((path) => path.includes('told.'))).toEqual([]);
        expectFiles((await keep(vm, told())).path, { 'context.sh': 'A=1\n' });
      }
    });

    it('has a file for what a VM has in memory, which goes on to the epoch that takes it, and for nobody who is late', async () => {
      const vm = newVm();
      const take = (epoch: number) => storage.takeMemory({ ...vm, epoch }, signal());
      const drop = (epoch: number) => storage.dropMemory({ ...vm, epoch }, signal());
      const first = await take(2);
      if (!storage.can.read || !first) {
        expect([storage.can.read, first]).toEqual([false, null]);
        return drop(2);
      }
      expect(first.isThere).toBe(false);
      writeFileSync(first.path, 'what it had');
      expect(await take(2)).toEqual({ ...first, isThere: true });
      const second = await take(4);
      expect([second?.isThere, readFileSync(second?.path ?? '', 'utf8')]).toEqual([true, 'what it had']);
      expect(existsSync(first.path)).toBe(false);
      for (const late of [take, drop]) expect(await refusal(late(3))).toBe('taken');
      // What somebody late writes all the same is nothing.
      writeFileSync(first.path, 'late');
      expect(await take(5)).toMatchObject({ isThere: true });
      expect(readFileSync((await take(5))?.path ?? '', 'utf8')).toBe('what it had');
      expect(existsSync(first.path)).toBe(false);
      expect(await epochsOf(vm)).toEqual([]);
      for (const _ of [1, 2]) await drop(6);
      const third = await take(6);
      expect(third?.isThere).toBe(false);
      writeFileSync(third?.path ?? '', 'again');
      await storage.removeDisks({ ...vm, epoch: 7 }, signal());
      expect(namesOf(vm)).toEqual([]);
    });

    it('takes no file that has more or fewer bytes than was said', async () => {
      for (const size of [10, 30]) {
        const vm = newVm();
        const wrong = await refusal(keep(vm, [...told(), fileOf('file', Buffer.alloc(20), size)]));
        expect(wrong).toBe(storage.can.read ? 'image_refused' : undefined);
        if (storage.can.read) expect(namesOf(vm)).toEqual([]);
      }
    });

    it('a name that leads elsewhere leads nowhere', async () => {
      for (const hostile of ['', '.', '..', '../x', '/etc/passwd', 'a/b', 'a\\b', 'a\nb', 'a\0b', 'x'.repeat(256)]) {
        const vm = newVm();
        await expect(keep(vm, [{ name: hostile, text: '' }])).rejects.toThrow();
        expect(namesOf(vm)).toEqual([]);
      }
      for (const hostile of ['"../1"', '-1', '1.5'])
        await expect(keep({ ...newVm(), epoch: JSON.parse(hostile) }, told())).rejects.toThrow();
    });
  });
}
