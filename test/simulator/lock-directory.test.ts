import { expect, it } from 'vitest';
import { ownDirectory } from '../support/directories.js';
import { eventually, launchBuilt } from '../support/processes.js';

const linesOf = (text: string): string[] => text.split('\n').slice(0, -1);
const hold = (directories: readonly string[]) => launchBuilt('test/simulator/hold-directory.js', directories);

it('a directory goes to exactly one of many simulators that come at once, upon one that was killed', async () => {
  const directories = Array.from({ length: 20 }, ownDirectory);
  const dead = hold(directories);
  await eventually(() => linesOf(dead.text()).length === directories.length);
  dead.process.kill('SIGKILL');
  await dead.exit;

  const contenders = Array.from({ length: 5 }, () => hold(directories));
  await eventually(() => contenders.every(({ text }) => linesOf(text()).length === directories.length));
  const winners = directories.map((_, at) => contenders.filter(({ text }) => linesOf(text())[at] === 'locked').length);
  expect(winners).toEqual(directories.map(() => 1));
});
