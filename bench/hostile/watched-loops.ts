import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { checkout } from '../../adapters/process/checkout.js';

const Stretches = z.array(z.object({ at: z.number(), ms: z.number() }));

/** How long event loops of processes stand at a stretch, counted in their CPU time: see watch-loop.mjs. */
export class WatchedLoops {
  readonly #directory = mkdtempSync(join(tmpdir(), 'arcus-loops-'));

  /** What a process that is to be watched has in its environment. */
  get environment(): Record<string, string> {
    const module = pathToFileURL(join(checkout, 'bench', 'hostile', 'watch-loop.mjs')).href;
    // Beside what whoever measures has there, such as --cpu-prof.
    const options = `${process.env.NODE_OPTIONS ?? ''} --import ${module}`.trim();
    return { NODE_OPTIONS: options, ARCUS_LOOP_WATCH: this.#directory };
  }

  /** Milliseconds of the longest stretch of a process since then; 0 when all were short. */
  longestOf(pid: number, since: number): number {
    let text: string;
    try {
      text = readFileSync(join(this.#directory, `${pid}.json`), 'utf8');
    } catch {
      return 0;
    }
    return Math.max(0, ...Stretches.parse(JSON.parse(text)).flatMap(({ at, ms }) => (at >= since ? [ms] : [])));
  }

  release(): void {
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
