import { dirname } from 'node:path';
import { lockHome } from '../../runtime/home-lock.js';

// Started as a process: takes the home's lock, says so, and holds it until it is killed.
const [, , file = ''] = process.argv;
try {
  await lockHome(file, dirname(file));
  process.stdout.write('locked\n');
  setInterval(() => {}, 1_000);
} catch (error) {
  process.stdout.write(`${error instanceof Error ? error.message : String(error)}\n`);
}
