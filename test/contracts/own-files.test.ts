import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { eventually, launchBuilt } from '../support/processes.js';

it('what a killed process has written for virsh is removed by the next one, and what another still needs is not', async () => {
  const start = (way: string) => launchBuilt('test/contracts/hold-own-file.js', [way]);
  const [killed, living] = [start('stay'), start('stay')];
  const fileOf = async ({ text }: ReturnType<typeof start>): Promise<string> => {
    await eventually(() => text().includes('\n'));
    return text().split(' ')[0] ?? '';
  };
  const [left, needed] = [await fileOf(killed), await fileOf(living)];
  expect(killed.text()).toBe(`${left} 600\n`);
  killed.process.kill('SIGKILL');
  await killed.exit;
  expect(existsSync(left)).toBe(true);

  const next = start('end');
  expect(await next.exit, next.text()).toBe(0);
  expect(existsSync(dirname(left))).toBe(false);
  expect(existsSync(needed)).toBe(true);
  expect(existsSync(dirname(await fileOf(next)))).toBe(false);
  expect(existsSync(join(tmpdir(), `arcus-libvirt-${next.process.pid}-left`))).toBe(false);
  living.process.kill('SIGKILL');
  await living.exit;
  await start('end').exit;
  expect(existsSync(dirname(needed))).toBe(false);
});
