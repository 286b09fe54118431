// Loaded into a process by NODE_OPTIONS=--import: writes down how long its event loop has stood at a stretch, to the file
// <pid>.json in the directory ARCUS_LOOP_WATCH. Counted is CPU time, of which others on the machine take none: a process
// that waits for its share of a busy processor stands no longer for that.
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';

const directory = process.env.ARCUS_LOOP_WATCH;
const tick = 5;
/** Milliseconds: shorter stretches are not of interest. */
const least = 10;

if (directory && isMainThread) {
  const file = join(directory, `${process.pid}.json`);
  const stretches = [];
  const spent = () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1_000;
  };
  let [at, cpu, written] = [performance.now(), spent(), 0];
  setInterval(() => {
    const [now, used] = [performance.now(), spent()];
    const stood = Math.min(now - at - tick, used - cpu);
    if (stood >= least) stretches.push({ at: Date.now(), ms: stood });
    [at, cpu] = [now, used];
    if (stretches.length === written) return;
    written = stretches.length;
    writeFileSync(`${file}.part`, JSON.stringify(stretches));
    renameSync(`${file}.part`, file);
  }, tick).unref();
}
