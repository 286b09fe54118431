// Loaded into a process by NODE_OPTIONS=--import: writes down how long its event loop has stood at a stretch, to the file
// <pid>.json in the directory ARCUS_LOOP_WATCH. Counted is CPU time, of which others on the machine take none: a process
// that waits for its share of a busy processor stands no longer for that. Of the thread that has the event loop alone, where
// Linux says it: a worker's other threads run workflows and talk to Temporal meanwhile.
import { openSync, readSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';

const directory = process.env.ARCUS_LOOP_WATCH;
const tick = 5;
/** Milliseconds: shorter stretches are not of interest. */
const least = 10;

if (directory && isMainThread) {
  const file = join(directory, `${process.pid}.json`);
  const stretches = [];
  const spent = mainThreadSpent() ?? processSpent;
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

function processSpent() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

/** Milliseconds on a processor, from the first of the numbers there, which is in nanoseconds; null where there is no such file. */
function mainThreadSpent() {
  try {
    const file = openSync('/proc/self/schedstat', 'r');
    const said = Buffer.alloc(64);
    return () => Number.parseInt(said.toString('latin1', 0, readSync(file, said, 0, said.length, 0)), 10) / 1e6;
  } catch {
    return null;
  }
}
