import { dirname } from 'node:path';
import { lockHome } from '../../runtime/home/home-lock.js';

// Started as a process: takes the locks of these homes one after the other, says of each whether it has it, and holds
// what it has until it is killed.
const [, , ...files] = process.argv;
for (const file of files) {
  try {
    await lockHome(file, dirname(file));
    process.stdout.write('locked\n');
  } catch (error) {
    process.stdout.write(`${error instanceof Error ? error.message : String(error)}\n`);
  }
}
setInterval(() => {}, 1_000);
