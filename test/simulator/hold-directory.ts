import { lockDirectory } from '../../simulator/lock-directory.js';

// Started as a process: locks these directories one after the other, says of each whether it has it, and holds what it
// has until it is killed.
const [, , ...directories] = process.argv;
for (const directory of directories) {
  try {
    await lockDirectory(directory);
    process.stdout.write('locked\n');
  } catch (error) {
    process.stdout.write(`${error instanceof Error ? error.message : String(error)}\n`);
  }
}
setInterval(() => {}, 1_000);
